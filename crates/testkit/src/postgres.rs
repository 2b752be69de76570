//! Where tests find PostgreSQL.
//!
//! Most tests share one server and have a namespace there ([`a_namespace`]). One that kills its
//! server, or sets it wrong, starts its own ([`Cluster`]).

use std::{
    collections::BTreeSet,
    fs::Permissions,
    io::Write as _,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
    time::Duration,
};

/// Names the server to test on; `scripts/with-postgres.sh` starts one and sets it.
pub const SERVER: &str = "HONGBAO_TEST_POSTGRES_URL";
/// Names the directory of `initdb` and `pg_ctl`; set by the same script.
pub const PROGRAMS: &str = "HONGBAO_TEST_POSTGRES_BIN";

/// Names the coordinator of a Citus cluster to test on; `scripts/with-citus.sh` starts one and sets
/// it.
pub const COORDINATOR: &str = "HONGBAO_TEST_CITUS_URL";

/// Names the directory of that cluster; set by the same script.
pub const CITUS: &str = "HONGBAO_TEST_CITUS";

static TOLD: AtomicU64 = AtomicU64::new(0);

/// The server to test on and the name of a namespace there that no other test uses. `None`, said
/// loudly, when there is no server.
pub fn a_namespace() -> Option<(String, String)> {
    Some((told(SERVER, "scripts/with-postgres.sh")?, a_name("test")))
}

/// The same on a distributed database.
pub fn a_distributed_namespace() -> Option<(String, String)> {
    Some((told(COORDINATOR, "scripts/with-citus.sh")?, a_name("test")))
}

/// A name that no other test uses.
pub fn a_name(what: &str) -> String {
    format!("{what}_{}_{}", std::process::id(), TOLD.fetch_add(1, Ordering::Relaxed))
}

/// Runs one statement in the database at `url`, past every store.
pub fn statement(url: &str, sql: &str) {
    let psql =
        std::env::var(PROGRAMS).map_or_else(|_| "psql".into(), |at| Path::new(&at).join("psql"));
    let ran = Command::new(psql).args(["-X", "-v", "ON_ERROR_STOP=1", "-c", sql, url]).output();
    succeeded("psql", &ran.expect("psql runs"));
}

/// The directory of a Citus cluster, with its machines' own inside, and the address of its
/// coordinator: for a test that has the cluster for itself.
pub fn a_citus_cluster() -> Option<(PathBuf, String)> {
    let script = "scripts/with-citus.sh";
    Some((told(CITUS, script)?.into(), told(COORDINATOR, script)?))
}

fn told(variable: &'static str, script: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        say_skipped(variable, script);
    }
    value
}

/// Says it past `cargo test`, which shows nothing of a test that passes; once is enough.
fn say_skipped(variable: &'static str, script: &str) {
    static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(variable) {
        let says = format!("SKIPPED: {variable} is not set; {script} COMMAND sets it\n");
        drop(std::io::stderr().write_all(says.as_bytes()));
    }
}

/// A server of one test's own, listening on a socket in its directory, and on a port of this machine
/// if it was asked to. Stopped and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    directory: PathBuf,
    port: Option<u16>,
}

impl Cluster {
    /// Makes and starts one. `None`, said loudly, where the programs are not known.
    pub fn start() -> Option<Self> {
        Self::start_with(None, |_| ())
    }

    /// One that listens on a port, too. `prepare` may append settings and put files before it
    /// starts.
    pub fn start_on_a_port(prepare: impl FnOnce(&Self)) -> Option<Self> {
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = free.local_addr().expect("it has a number").port();
        drop(free);
        Self::start_with(Some(port), prepare)
    }

    fn start_with(port: Option<u16>, prepare: impl FnOnce(&Self)) -> Option<Self> {
        let cluster = Self::in_a_new_directory(port)?;
        let data = cluster.data();
        let options = ["-U", "hongbao", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"];
        cluster.run("initdb", &[&["-D", &data], options.as_slice()].concat());
        cluster.append("max_connections = 200\nmax_prepared_transactions = 4\n");
        cluster.append("log_min_messages = fatal\n");
        prepare(&cluster);
        cluster.start_again();
        Some(cluster)
    }

    /// A standby of this one, which follows it and only reads.
    pub fn standby(&self) -> Option<Self> {
        let standby = Self::in_a_new_directory(None)?;
        let from = self.directory.display().to_string();
        let data = standby.data();
        let fast = ["-U", "hongbao", "-D", &data, "-R", "-c", "fast"];
        standby.run("pg_basebackup", &[&["-h", &from], fast.as_slice()].concat());
        standby.start_again();
        Some(standby)
    }

    fn in_a_new_directory(port: Option<u16>) -> Option<Self> {
        let programs = PathBuf::from(told(PROGRAMS, "scripts/with-postgres.sh")?);
        let directory = std::env::temp_dir().join(a_name("hongbao-postgres"));
        std::fs::create_dir(&directory).expect("a directory is made");
        let cluster = Self { programs, directory, port };
        if is_root() {
            let made = Command::new("chown").arg("postgres").arg(&cluster.directory).output();
            succeeded("chown", &made.expect("chown runs"));
        }
        Some(cluster)
    }

    /// Its address.
    pub fn url(&self) -> String {
        let directory = self.directory.display().to_string().replace('/', "%2F");
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("postgres://hongbao@{directory}{port}/postgres")
    }

    /// Its address by the name of a host of this machine.
    pub fn url_at(&self, host: &str) -> String {
        let port = self.port.expect("it listens on a port");
        format!("postgres://hongbao@{host}:{port}/postgres")
    }

    /// Puts a file into its data directory, for nobody but the server to read.
    pub fn put(&self, name: &str, text: &str) {
        let file = Path::new(&self.data()).join(name);
        std::fs::write(&file, text).expect("a file is written");
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("it is closed");
        if is_root() {
            let made = Command::new("chown").arg("postgres").arg(&file).output();
            succeeded("chown", &made.expect("chown runs"));
        }
    }

    /// Writes lines into its configuration; they count after a restart or a reload.
    pub fn append(&self, lines: &str) {
        let file = Path::new(&self.data()).join("postgresql.conf");
        let mut text = std::fs::read_to_string(&file).expect("a configuration is read");
        text.push_str(lines);
        std::fs::write(&file, text).expect("a configuration is written");
    }

    /// Lets it read its configuration again.
    pub fn reload(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "reload"]);
    }

    /// Starts it after it was killed. Its orphans hold its memory until they notice, so this may
    /// take a few attempts.
    pub fn start_again(&self) {
        let listen = match self.port {
            Some(port) => format!("-p {port} -c listen_addresses=127.0.0.1"),
            None => "-c listen_addresses=''".to_owned(),
        };
        let socket = format!("-k {} {listen}", self.directory.display());
        let log = self.directory.join("log").display().to_string();
        let data = self.data();
        for _ in 0..50 {
            let started =
                self.output("pg_ctl", &["-D", &data, "-l", &log, "-o", &socket, "-w", "start"]);
            if started.status.success() {
                return;
            }
            sleep(Duration::from_millis(200));
        }
        panic!("it does not start: {}", std::fs::read_to_string(log).unwrap_or_default());
    }

    /// SIGKILL to the postmaster, at once.
    pub fn kill(&self) {
        let file = Path::new(&self.data()).join("postmaster.pid");
        let text = std::fs::read_to_string(file).expect("the postmaster runs");
        let pid = text.lines().next().expect("its number stands in the first line").to_owned();
        let killed = Command::new("kill").args(["-9", &pid]).output();
        succeeded("kill", &killed.expect("kill runs"));
    }

    fn data(&self) -> String {
        self.directory.join("cluster").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        succeeded(program, &self.output(program, arguments));
    }

    /// PostgreSQL refuses to run as root: then it runs as the user that its package made.
    fn output(&self, program: &str, arguments: &[&str]) -> Output {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        let output = command.args(arguments).current_dir(&self.directory).output();
        output.expect("a program of PostgreSQL runs")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.output("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]));
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn succeeded(program: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} failed: {said}");
}
