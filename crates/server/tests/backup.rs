//! The restore drill (B-4 to B-6): the real binary, backed up under load over HTTP, restored
//! elsewhere, damaged, interrupted, copied wrongly.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use common::{DemoProcess, HONGBAO, audit, private_directory};
use hongbao_server::demo::Manifest;
use hongbao_wire::SignType;

/// Callers that send at once; as many more open packets.
const CALLERS: usize = 4;

const BEFORE: u8 = 0;
const AFTER: u8 = 2;
const OVER: u8 = 3;

/// When something was asked for, and when it was answered: before, during or after the backup.
#[derive(Clone, Debug)]
struct Done {
    issued: u8,
    answered: u8,
    what: String,
}

#[derive(Default)]
struct Load {
    phase: AtomicU8,
    next: AtomicU64,
    /// Order number → the platform's number.
    sent: Mutex<BTreeMap<String, Done>>,
    /// Packet code and user → fen.
    opened: Mutex<BTreeMap<(String, usize), Done>>,
}

impl Load {
    fn phase(&self) -> u8 {
        self.phase.load(Ordering::SeqCst)
    }

    /// Enters the next phase and gives it a while.
    async fn enter(&self, phase: u8) {
        self.phase.store(phase, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(700)).await;
    }

    async fn send(self: Arc<Self>, manifest: Manifest) {
        let client = common::v2_client(&manifest, 1, SignType::Md5);
        while self.phase() != OVER {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let what = format!("LOAD{number:010}");
            let user = &manifest.users[usize::try_from(number).unwrap() % 12];
            let issued = self.phase();
            let fields = common::send_fields(&manifest.merchants[1], user, &what, "100");
            let answer = client.call("/mmpaymkttransfers/sendredpack", &fields).await.unwrap();
            assert_eq!(answer.get("result_code"), Some("SUCCESS"), "{answer:?}");
            let list_id = answer.get("send_listid").unwrap().to_owned();
            let done = Done { issued, answered: self.phase(), what: list_id };
            self.sent.lock().unwrap().insert(what, done);
        }
    }

    async fn open(self: Arc<Self>, manifest: Manifest, user: usize) {
        let phone = common::phone(&manifest, user);
        while self.phase() != OVER {
            let inbox = phone.call("GET", "/pocket/v1/messages?limit=50", None).await.unwrap();
            for line in inbox["items"].as_array().unwrap() {
                if line["status"] != "sent" {
                    continue;
                }
                let code = line["code"].as_str().unwrap().to_owned();
                let issued = self.phase();
                let (fen, replayed) = open(&manifest, user, &code).await;
                assert!(!replayed, "{code} was opened by nobody else");
                let done = Done { issued, answered: self.phase(), what: fen.to_string() };
                self.opened.lock().unwrap().insert((code, user), done);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn open(manifest: &Manifest, user: usize, code: &str) -> (i64, bool) {
    let phone = common::phone(manifest, user);
    let opened = phone.call("POST", &format!("/pocket/v1/packets/{code}/open"), None).await;
    let opened = opened.unwrap();
    (opened["amount"]["amount"].as_i64().unwrap(), opened["replayed"].as_bool().unwrap())
}

/// Runs `hongbao` with these words; answers whether it ended well and all that it said.
fn hongbao<'a>(words: impl IntoIterator<Item = &'a Path>) -> (bool, String) {
    let output = Command::new(HONGBAO).args(words).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

macro_rules! hongbao {
    ($($word:expr),+ $(,)?) => { hongbao([$(Path::new(&$word)),+]) };
}

fn well((good, said): (bool, String)) -> String {
    assert!(good, "{said}");
    said
}

fn refused((good, said): (bool, String)) -> String {
    assert!(!good, "{said}");
    said
}

fn heads_to(data: &Path, file: &Path) {
    fs::write(file, well(hongbao!("heads", "--data", data))).unwrap();
}

/// A store with the demo's story in it, told `times` times.
fn story(data: &Path, times: u32) {
    for _ in 0..times {
        well(hongbao!("demo", "--once", "--log", "warn", "--data", data));
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// B-4: what was answered before the backup began is in it, what was asked for after it ended is
/// not, and a server on the restored store answers old numbers as the first one did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_one_moment_between_its_start_and_its_end() {
    let dir = private_directory();
    let [data, backup, restored] = ["data", "backup", "restored"].map(|name| dir.path().join(name));
    let [before, after] = ["before", "after"].map(|name| dir.path().join(name));
    private(&data);
    let demo = DemoProcess::start(&data).await;
    let load = Arc::new(Load::default());
    let mut callers = tokio::task::JoinSet::new();
    for user in 0..CALLERS {
        callers.spawn(Arc::clone(&load).send(demo.clone_manifest()));
        callers.spawn(Arc::clone(&load).open(demo.clone_manifest(), user));
    }
    load.enter(BEFORE).await;
    heads_to(&data, &before);
    load.phase.store(1, Ordering::SeqCst);
    let took = {
        let (data, backup) = (data.clone(), backup.clone());
        let taking = move || hongbao!("backup", "--with-secrets", "--data", data, "--to", backup);
        tokio::task::spawn_blocking(taking).await.unwrap()
    };
    let said = well(took);
    assert!(said.contains("SECRETS ARE IN IT"), "{said}");
    load.enter(AFTER).await;
    heads_to(&data, &after);
    load.phase.store(OVER, Ordering::SeqCst);
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    drop(demo);

    let said = well(hongbao!("restore", "--from", backup, "--data", restored, "--heads", after));
    assert!(said.contains("LOST merchant/10000099 ends at row"), "{said}");
    well(hongbao!("verify", "--data", restored, "--heads", before));
    well(hongbao!("verify", "--data", data, "--heads", backup.join("manifest.json")));
    let lacking = refused(hongbao!("verify", "--data", restored, "--heads", after));
    assert!(lacking.contains("heads FAIL merchant/10000099"), "{lacking}");
    as_demo(&data, &restored);
    is_between(&load, &restored).await;
}

/// What marks a demo is no secret of an installation and not in a backup.
fn as_demo(data: &Path, restored: &Path) {
    let mark = "demo-operator.token";
    fs::copy(data.join(mark), restored.join(mark)).unwrap();
}

/// Holds a restored store against what its callers know.
async fn is_between(load: &Load, restored: &Path) {
    let stored = audit(restored).await;
    let (mut early, mut late) = (0, 0);
    let sent = load.sent.lock().unwrap().clone();
    for (bill_no, Done { issued, answered, .. }) in &sent {
        let there = stored.contains(bill_no);
        early += i32::from(*answered == BEFORE);
        late += i32::from(*issued >= AFTER);
        assert!(there || *answered > BEFORE, "{bill_no} was answered before and is lost");
        assert!(!there || *issued < AFTER, "{bill_no} was issued after and is there");
    }
    let demo = DemoProcess::start(restored).await;
    let manifest = demo.clone_manifest();
    let client = common::v2_client(&manifest, 1, SignType::Md5);
    for (number, (bill_no, Done { what, .. })) in sent.iter().enumerate() {
        if !stored.contains(bill_no) || number % 7 > 0 {
            continue;
        }
        let number: usize = bill_no.trim_start_matches("LOAD").parse().unwrap();
        let user = &manifest.users[number % 12];
        let fields = common::send_fields(&manifest.merchants[1], user, bill_no, "100");
        let again = client.call("/mmpaymkttransfers/sendredpack", &fields).await.unwrap();
        assert_eq!(again.get("send_listid"), Some(what.as_str()), "{again:?}");
    }
    let opened = load.opened.lock().unwrap().clone();
    let mut claims = 0;
    for ((code, user), Done { answered, what, .. }) in &opened {
        if *answered == BEFORE {
            claims += 1;
            // A claim that was lost would succeed now, and not be a replay.
            let again = open(&manifest, *user, code).await;
            assert_eq!(again, (what.parse().unwrap(), true), "{code}");
        }
    }
    println!("{early} sends and {claims} claims before, {late} sends after, {} in all", sent.len());
    assert!(early > 5 && claims > 0 && late > 5, "the load was not a load");
}

fn private(path: &Path) {
    fs::create_dir(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// A backup of one story, with secrets.
fn a_backup(dir: &Path) -> (PathBuf, PathBuf) {
    let (data, backup) = (dir.join("data"), dir.join("backup"));
    story(&data, 1);
    well(hongbao!("backup", "--with-secrets", "--data", data, "--to", backup));
    (data, backup)
}

#[test]
fn every_file_of_a_backup_and_of_what_is_restored_is_for_its_owner_only() {
    let dir = private_directory();
    let (data, backup) = a_backup(dir.path());
    let restored = dir.path().join("restored");
    fs::create_dir(&restored).unwrap();
    well(hongbao!("restore", "--from", backup, "--data", restored));
    for folder in [&backup, &restored, &restored.join("ca")] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert!([0o600, 0o700].contains(&mode(&path)), "{}", path.display());
        }
    }
    for secret in ["master.key", "operators.json", "user-token.secret", "ca/ca.key.sealed"] {
        assert_eq!(fs::read(data.join(secret)).unwrap(), fs::read(restored.join(secret)).unwrap());
    }
    // J-10: unless asked for, no secret is in it, and it says so.
    let plain = dir.path().join("plain");
    let said = well(hongbao!("backup", "--data", data, "--to", plain));
    assert!(said.contains("NO SECRETS ARE IN IT") && said.contains("master.key"), "{said}");
    assert!(!plain.join("secrets.json").exists());
    let again = refused(hongbao!("backup", "--data", data, "--to", plain));
    assert!(again.contains("is there already"), "{again}");
}

#[test]
fn a_damaged_backup_is_refused_and_leaves_nothing() {
    type Damage = fn(&Path);
    let cases: [(&str, &str, Damage); 7] = [
        ("hongbao.db", "is damaged: SHA-256", |path| flip(path)),
        ("hongbao.db", "is damaged: 4096 bytes", |path| {
            fs::File::options().write(true).open(path).unwrap().set_len(4_096).unwrap();
        }),
        ("secrets.json", "is damaged", |path| flip(path)),
        ("manifest.json", "is not whole", |path| {
            fs::File::options().write(true).open(path).unwrap().set_len(200).unwrap();
        }),
        ("manifest.json", "has no manifest.json", |path| fs::remove_file(path).unwrap()),
        ("manifest.json", "run a newer `hongbao`", |path| {
            replace(path, "\"schema\": ", "\"schema\": 9");
        }),
        ("manifest.json", "made by a newer program", |path| {
            replace(path, "\"hongbao_backup\": 1", "\"hongbao_backup\": 2");
        }),
    ];
    let dir = private_directory();
    let (_data, backup) = a_backup(dir.path());
    for (file, what, damage) in cases {
        let path = backup.join(file);
        let whole = fs::read(&path).unwrap();
        damage(&path);
        let target = dir.path().join("target");
        let said = refused(hongbao!("restore", "--from", backup, "--data", target));
        assert!(said.contains(what), "{file}: {said}");
        let rest = fs::read_dir(&target).map_or(0, Iterator::count);
        assert_eq!(rest, 0, "{file}: {said}");
        fs::write(&path, whole).unwrap();
    }
    well(hongbao!("restore", "--from", backup, "--data", dir.path().join("target")));
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Bytes that are right by the manifest, of a store that is not the one that it tells of.
#[test]
fn another_store_under_the_same_manifest_is_refused_by_its_heads() {
    let dir = private_directory();
    let (data, backup) = a_backup(dir.path());
    let other = dir.path().join("other");
    story(&data, 1);
    well(hongbao!("backup", "--data", data, "--to", other));
    let value = |folder: &Path, field: &str| {
        let text = fs::read_to_string(folder.join("manifest.json")).unwrap();
        let line = text.lines().find(|line| line.contains(field)).unwrap();
        line.trim().to_owned()
    };
    for field in ["\"bytes\"", "\"sha256\""] {
        let (from, to) = (value(&backup, field), value(&other, field));
        replace(&backup.join("manifest.json"), &from, &to);
    }
    fs::copy(other.join("hongbao.db"), backup.join("hongbao.db")).unwrap();
    let target = dir.path().join("target");
    let said = refused(hongbao!("restore", "--from", backup, "--data", target));
    assert!(said.contains("the manifest has the head"), "{said}");
    assert!(!target.join("hongbao.db").exists());
}

/// The bytes of a hash, where they stand for the first time.
fn hash_in(bytes: &[u8], hash: &str) -> usize {
    let hash = hex::decode(hash).unwrap();
    bytes.windows(hash.len()).position(|window| window == hash).unwrap()
}

/// The hash of the head of a merchant's journal.
fn head_hash(data: &Path) -> String {
    let heads = well(hongbao!("heads", "--data", data));
    let line = heads.lines().find(|line| line.contains("merchant/10000098")).unwrap();
    let head: serde_json::Value = serde_json::from_str(line).unwrap();
    head["hash"].as_str().unwrap().to_owned()
}

/// A hash stands on its row, and that of the newest row on its owner's as well.
#[test]
fn a_store_that_could_not_be_restored_is_not_backed_up() {
    let dir = private_directory();
    let data = dir.path().join("data");
    story(&data, 1);
    let older = head_hash(&data);
    story(&data, 1);
    let newest = head_hash(&data);
    let database = data.join("hongbao.db");
    let whole = fs::read(&database).unwrap();
    let damage = |hash: &str| {
        let mut damaged = whole.clone();
        damaged[hash_in(&whole, hash)] ^= 1;
        fs::write(&database, &damaged).unwrap();
    };
    let backup = dir.path().join("backup");
    let nothing = || {
        assert!(!backup.exists() && !dir.path().join("backup.part").exists());
    };

    // The end of a journal is looked at every time.
    damage(&newest);
    let said = refused(hongbao!("backup", "--data", data, "--to", backup));
    assert!(
        said.contains("does not end with row") && said.contains("no backup was made"),
        "{said}"
    );
    nothing();

    // A row further up only if everything is.
    damage(&older);
    let said = refused(hongbao!("backup", "--verify", "--data", data, "--to", backup));
    assert!(said.contains("FAIL") && said.contains("no backup was made"), "{said}");
    nothing();
    well(hongbao!("backup", "--data", data, "--to", backup));
    let target = dir.path().join("target");
    refused(hongbao!("restore", "--from", backup, "--data", target));
    fs::remove_dir_all(&backup).unwrap();

    fs::write(&database, &whole).unwrap();
    let said = well(hongbao!("backup", "--verify", "--data", data, "--to", backup));
    assert!(said.contains("a restore would take it"), "{said}");
    let mut files: Vec<_> =
        fs::read_dir(&backup).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["hongbao.db", "manifest.json"]);
    well(hongbao!("restore", "--from", backup, "--data", target));
}

/// A store whose schema is older than the program is put in place, and nobody says it was checked.
#[test]
fn a_backup_of_an_older_schema_asks_for_a_migration() {
    let dir = private_directory();
    let (_data, backup) = a_backup(dir.path());
    let text = fs::read_to_string(backup.join("manifest.json")).unwrap();
    let line = text.lines().find(|line| line.contains("\"schema\"")).unwrap();
    replace(&backup.join("manifest.json"), line, "\"schema\": 1,");
    let said = well(hongbao!("restore", "--from", backup, "--data", dir.path().join("old")));
    assert!(said.contains("NOT checked") && said.contains("hongbao migrate"), "{said}");
}

/// Kills `hongbao` with these words as soon as `mark` is there; answers whether it still ran.
fn killed_at(mark: &Path, pause: Duration, words: &[&Path]) -> bool {
    let mut child = Command::new(HONGBAO)
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !mark.exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    std::thread::sleep(pause);
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

#[test]
fn a_backup_that_is_killed_leaves_no_folder_that_is_taken_for_one() {
    let dir = private_directory();
    let data = dir.path().join("data");
    story(&data, 1);
    let mut midway = 0;
    for round in 0..12_u32 {
        let backup = dir.path().join(format!("backup{round}"));
        let part = dir.path().join(format!("backup{round}.part"));
        let words = [Path::new("backup"), Path::new("--data"), &data, Path::new("--to"), &backup];
        let pause = Duration::from_micros(u64::from(round) * 300);
        killed_at(&part.join("hongbao.db"), pause, &words);
        let target = dir.path().join(format!("target{round}"));
        if backup.exists() {
            well(hongbao!("restore", "--from", backup, "--data", target));
            continue;
        }
        if !part.join("manifest.json").exists() {
            midway += 1;
            let said = refused(hongbao!("restore", "--from", part, "--data", target));
            assert!(said.contains("not finished"), "{said}");
        }
        let again = refused(hongbao!("backup", "--data", data, "--to", backup));
        assert!(again.contains("was interrupted"), "{again}");
        fs::remove_dir_all(&part).unwrap();
        well(hongbao!("backup", "--data", data, "--to", backup));
    }
    println!("{midway} of 12 were killed midway");
    assert!(midway > 0, "no backup was killed midway");
}

#[test]
fn a_restore_that_is_killed_leaves_nothing_that_opens_and_can_be_repeated() {
    let dir = private_directory();
    let data = dir.path().join("data");
    let backup = dir.path().join("backup");
    story(&data, 1);
    well(hongbao!("backup", "--data", data, "--to", backup));
    let mut midway = 0;
    for round in 0..6_u32 {
        let target = dir.path().join(format!("target{round}"));
        let words =
            [Path::new("restore"), Path::new("--from"), &backup, Path::new("--data"), &target];
        let mark = target.join("hongbao.db.restoring");
        killed_at(&mark, Duration::from_millis(u64::from(round) * 3), &words);
        if !target.join("hongbao.db").exists() {
            midway += 1;
            let said = refused(hongbao!("verify", "--data", target));
            assert!(said.contains("there is no database"), "{said}");
            well(hongbao!("restore", "--from", backup, "--data", target));
        }
        well(hongbao!("verify", "--data", target));
        let over = refused(hongbao!("restore", "--from", backup, "--data", target));
        assert!(over.contains("is there already"), "{over}");
    }
    assert!(midway > 0, "no restore was killed midway");
}

/// B-5: such a copy opens and adds up, for it is the store of an earlier moment. Only a head that
/// was kept elsewhere can tell.
#[tokio::test]
async fn a_copy_without_its_log_is_told_by_heads() {
    let dir = private_directory();
    let data = dir.path().join("data");
    story(&data, 1);
    let demo = DemoProcess::start(&data).await;
    let manifest = demo.clone_manifest();
    let client = common::v2_client(&manifest, 1, SignType::Md5);
    for bill_no in ["NAIVE1", "NAIVE2"] {
        let fields =
            common::send_fields(&manifest.merchants[1], &manifest.users[0], bill_no, "100");
        let answer = client.call("/mmpaymkttransfers/sendredpack", &fields).await.unwrap();
        assert_eq!(answer.get("result_code"), Some("SUCCESS"), "{answer:?}");
    }
    let heads = dir.path().join("heads.json");
    heads_to(&data, &heads);
    let naive = dir.path().join("naive");
    private(&naive);
    fs::copy(data.join("hongbao.db"), naive.join("hongbao.db")).unwrap();
    drop(demo);
    well(hongbao!("verify", "--data", naive));
    let said = refused(hongbao!("verify", "--data", naive, "--heads", heads));
    let lost = said.lines().find(|line| line.contains("heads FAIL merchant/10000099")).unwrap();
    assert!(lost.contains("rows 3 to 4 are lost") && lost.contains("booked after"), "{said}");
}

/// B-6: an old backup put back says what is lost; once it went on, it is no longer the store that
/// the heads were told of.
#[test]
fn an_old_backup_that_is_restored_cannot_go_unseen() {
    let dir = private_directory();
    let (data, backup) = a_backup(dir.path());
    let (heads, old) = (dir.path().join("heads.json"), dir.path().join("old"));
    story(&data, 1);
    heads_to(&data, &heads);
    let said = well(hongbao!("restore", "--from", backup, "--data", old, "--heads", heads));
    assert!(said.contains("LOST merchant/10000098 ends at row 8: rows 9 to 15"), "{said}");
    as_demo(&data, &old);
    story(&old, 1);
    let said = refused(hongbao!("verify", "--data", old, "--heads", heads));
    assert!(said.contains("merchant/10000098: rows 1 to 15 are not those"), "{said}");
    let known = backup.join("manifest.json");
    let said = refused(hongbao!("verify", "--data", old, "--heads", heads, "--heads", known));
    assert!(said.contains("merchant/10000098: rows 9 to 15 are not those"), "{said}");
}
