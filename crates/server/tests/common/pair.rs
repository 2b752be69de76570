//! A primary, its standby and the watcher, by `scripts/ha/with-pair.sh`.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use hongbao_server::config::StoreUrl;

/// Two servers in a directory of their own; taken down when dropped.
pub struct Pair {
    script: Child,
    /// The script ends when this is closed.
    hold: Option<ChildStdin>,
    directory: PathBuf,
    url: String,
}

impl Pair {
    /// Starts the pair, and waits until the standby is synchronous. `None`, said loudly, without
    /// PostgreSQL.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub fn start(settings: &[(&str, &str)]) -> Option<Self> {
        if !std::path::Path::new("/usr/lib/postgresql").exists() {
            eprintln!("SKIPPED: PostgreSQL is not installed (Debian: postgresql)");
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/ha/with-pair.sh");
        let tell = "echo $HONGBAO_TEST_PAIR; echo $HONGBAO_TEST_PAIR_URL; cat >/dev/null";
        let mut script = Command::new(script)
            .args(["sh", "-c", tell])
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(script.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let (directory, url) = (PathBuf::from(line()), line());
        let hold = script.stdin.take();
        Some(Self { script, hold, directory, url })
    }

    /// Both servers, as the platform is told.
    pub fn url(&self) -> StoreUrl {
        self.url.parse().unwrap()
    }

    /// One of them only.
    pub fn url_of(&self, node: &str) -> StoreUrl {
        let socket = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://hongbao@{socket}:{}/postgres", port(node)).parse().unwrap()
    }

    /// When the watcher did `what`, in milliseconds since 1970, and to which server.
    pub fn events(&self, what: &str) -> Vec<(u64, String)> {
        let text = std::fs::read_to_string(self.directory.join("events")).unwrap_or_default();
        let words = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        words
            .filter(|words| words.len() == 3 && words[1] == what)
            .map(|words| (words[0].parse().unwrap(), words[2].to_owned()))
            .collect()
    }

    /// Waits until the watcher did `what` for the `count`th time; answers when.
    pub async fn wait(&self, what: &str, count: usize) -> u64 {
        for _ in 0..1_200 {
            if let Some((at, _)) = self.events(what).get(count - 1) {
                return *at;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(self.directory.join("watch.log")).unwrap_or_default();
        panic!("not {what} {count} times in a minute:\n{log}");
    }

    /// The server that is the primary as far as the watcher knows.
    pub fn primary(&self) -> String {
        self.events("promoted").pop().map_or_else(|| "a".to_owned(), |(_, node)| node)
    }

    /// Kills all processes of a server at once, like a power cut of its machine.
    pub fn kill(&self, node: &str) {
        let file = self.directory.join(node).join("postmaster.pid");
        let text = std::fs::read_to_string(file).unwrap();
        let first = text.lines().next().unwrap();
        shell(&format!(
            "kill -KILL {first} $(ps -o pid= --ppid {first})
             while ps -o stat= -p {first} | grep -qv '^Z'; do sleep 0.05; done"
        ));
    }

    /// Cuts a standby off from its primary: it gets nothing more, and neither of them is told.
    pub fn cut_off(&self, standby: &str) {
        self.lead_nowhere(standby);
        self.ask(standby, "SELECT pg_reload_conf()").unwrap();
        // Its receiver ends and cannot start again.
        for _ in 0..100 {
            let receivers = "SELECT count(*) FROM pg_stat_wal_receiver";
            if self.ask(standby, receivers).as_deref() == Some("0") {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{standby} still receives");
    }

    /// Lets a server find no primary when it next reads its settings.
    pub fn lead_nowhere(&self, node: &str) {
        let nowhere = "primary_conninfo = 'host=/nonexistent user=hongbao'";
        shell(&format!("echo \"{nowhere}\" >>{}/node.conf", self.path(node)));
    }

    /// Starts a server that is down, as it lies there.
    pub fn start_node(&self, node: &str) {
        let owner = "$([ $(id -u) = 0 ] && echo setpriv --reuid=postgres --regid=postgres \
                     --init-groups)";
        let control = "$(find /usr/lib/postgresql -name pg_ctl | sort -V | tail -n 1)";
        let log = self.directory.join(format!("{node}.log"));
        let path = self.path(node);
        // Of a process that was killed.
        drop(std::fs::remove_file(self.directory.join(node).join("postmaster.pid")));
        // The last process of one that was killed may take a moment to let go.
        shell(&format!(
            "for i in $(seq 20); do
                 {owner} {control} -D {path} -l {} -w start >/dev/null && exit 0; sleep 0.2
             done; exit 1",
            log.display()
        ));
    }

    /// Takes away what makes a server a standby when it starts: a careless person's mistake.
    pub fn make_rogue(&self, node: &str) {
        std::fs::remove_file(self.directory.join(node).join("standby.signal")).unwrap();
    }

    /// Asks one server, by `psql`; `None` if it does not answer within three seconds.
    pub fn ask(&self, node: &str, sql: &str) -> Option<String> {
        let asked = Command::new("timeout")
            .args(["3", "psql", "-XqAt", "-U", "hongbao", "-d", "postgres", "-c", sql, "-h"])
            .arg(&self.directory)
            .args(["-p", port(node)])
            .output()
            .unwrap();
        let answer = String::from_utf8(asked.stdout).unwrap();
        asked.status.success().then(|| answer.trim().to_owned())
    }

    fn path(&self, node: &str) -> String {
        self.directory.join(node).display().to_string()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        drop(self.hold.take());
        drop(self.script.wait());
    }
}

fn port(node: &str) -> &'static str {
    if node == "a" { "5441" } else { "5442" }
}

fn shell(command: &str) {
    let done = Command::new("bash").args(["-c", command]).stderr(Stdio::inherit()).status();
    assert!(done.unwrap().success(), "{command}");
}
