//! A server under test: the built worker on real workerd, started as anybody starts it, by `scripts/serve.mjs`.

use crate::support::settings::Settings;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything that a server does may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

const READY: &str = "user-api listens on ";

/// A running server. Dropped, it is killed with all that it started.
pub struct Server {
    child: Child,
    data: Arc<TempDir>,
    log: Log,
    origin: String,
    agent: ureq::Agent,
}

/// How a server ended.
pub struct Ended {
    /// The exit code of `serve.mjs`, None where a signal ended it.
    pub code: Option<i32>,
    /// All that it printed.
    pub log: String,
}

impl Server {
    /// A server with these settings and no data.
    pub fn start(settings: &Settings) -> Self {
        Self::start_in(settings, &new_data())
    }

    /// A server with these settings on that data.
    pub fn start_in(settings: &Settings, data: &Arc<TempDir>) -> Self {
        Self::of(launch(settings, data, "0", None), data)
    }

    /// The same with another configuration of workerd than the delivered one.
    pub fn start_with(settings: &Settings, data: &Arc<TempDir>, config: &Path) -> Self {
        Self::of(launch(settings, data, "0", Some(config)), data)
    }

    fn of((child, log): (Child, Log), data: &Arc<TempDir>) -> Self {
        // The guard exists before anything can fail.
        let mut server = Self {
            child,
            data: Arc::clone(data),
            log,
            origin: String::new(),
            agent: agent(),
        };
        let line = server.log.wait_for(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix(READY))
                .map(str::to_owned)
        });
        server.origin = line.unwrap_or_else(|| panic!("the server does not listen:\n{}", server.log.text()));
        server
    }

    /// `http://host:port`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        self.origin.strip_prefix("http://").expect("an http origin")
    }

    /// The client whose connections belong to this server.
    pub fn agent(&self) -> &ureq::Agent {
        &self.agent
    }

    /// Where it stores its data; outlives the server.
    pub fn data(&self) -> &Arc<TempDir> {
        &self.data
    }

    /// What it printed so far.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Asks it to end, as an operator does, and waits for it.
    pub fn stop(mut self) -> Ended {
        signal(self.child.id(), Signal::TERM);
        let code = wait(&mut self.child).code();
        Ended {
            code,
            log: self.log.complete(),
        }
    }

    /// The process id of workerd itself.
    pub fn workerd(&self) -> u32 {
        let text = std::fs::read_to_string(self.data.path().join("workerd.pid")).expect("workerd.pid");
        text.trim().parse().expect("a process id")
    }

    /// Kills workerd as a power cut would, and waits until nothing of the server is left.
    pub fn crash(mut self) -> Ended {
        signal(self.workerd(), Signal::KILL);
        let code = wait(&mut self.child).code();
        Ended {
            code,
            log: self.log.complete(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process_group(pid(self.child.id()), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// A folder for the data of a server.
pub fn new_data() -> Arc<TempDir> {
    Arc::new(
        tempfile::Builder::new()
            .prefix("user-api-e2e-")
            .tempdir()
            .expect("a temporary folder"),
    )
}

/// Starts `serve.mjs`, which should refuse, and waits for its end.
pub fn refused(settings: &Settings, port: &str) -> Ended {
    let data = new_data();
    let (child, log) = launch(settings, &data, port, None);
    let mut server = Server {
        child,
        data,
        log,
        origin: String::new(),
        agent: agent(),
    };
    let code = wait(&mut server.child).code();
    Ended {
        code,
        log: server.log.complete(),
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE))
        .user_agent("persondata-agent/1.0");
    config.build().new_agent()
}

fn launch(settings: &Settings, data: &Arc<TempDir>, port: &str, config: Option<&Path>) -> (Child, Log) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let node = root.join("node_modules/.bin/node");
    let built = root.join("build/release/index_bg.wasm");
    assert!(
        node.exists() && built.exists(),
        "nothing to test: run `make build` first"
    );
    let env_file = data.path().join("settings");
    settings.write(&env_file);
    let mut command = command(&node);
    command
        .arg("scripts/serve.mjs")
        .current_dir(root)
        .env_remove("HOST")
        .env_remove("CONFIG")
        .envs(config.map(|config| ("CONFIG", config)))
        .env("PORT", port)
        .env("DATA_DIR", data.path())
        .env("ENV_FILE", &env_file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = spawn(command).expect("starting serve.mjs");
    let log = Log::default();
    log.follow(child.stdout.take().expect("stdout"));
    log.follow(child.stderr.take().expect("stderr"));
    (child, log)
}

/// Where the system offers it, the server also ends when this process is killed and no guard runs.
fn command(node: &Path) -> Command {
    let bound = Command::new("setpriv")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !bound.is_ok_and(|status| status.success()) {
        return Command::new(node);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(node);
    command
}

/// Starts a process from a thread that lives as long as this process: the parent-death signal follows threads.
fn spawn(command: Command) -> io::Result<Child> {
    type Job = (Command, Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, inbox) = channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                let _ = reply.send(command.spawn());
            }
        });
        jobs
    });
    let (reply, answer) = channel();
    spawner.send((command, reply)).expect("the spawning thread lives");
    answer.recv().expect("the spawning thread answers")
}

fn pid(id: u32) -> Pid {
    i32::try_from(id)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id")
}

fn signal(id: u32, signal: Signal) {
    kill_process(pid(id), signal).expect("signalling the server");
}

fn wait(child: &mut Child) -> ExitStatus {
    poll("the server ends", || {
        child.try_wait().expect("waiting for the server")
    })
}

/// Asks until there is an answer, for at most [`PATIENCE`].
pub fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a server prints, as it prints it.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Printed>, Condvar)>);

#[derive(Default)]
struct Printed {
    text: String,
    open_streams: usize,
}

impl Log {
    fn follow(&self, stream: impl Read + Send + 'static) {
        self.0.0.lock().expect("the log").open_streams += 1;
        let log = self.clone();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stream);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                log.0
                    .0
                    .lock()
                    .expect("the log")
                    .text
                    .push_str(&String::from_utf8_lossy(&line));
                log.0.1.notify_all();
                line.clear();
            }
            log.0.0.lock().expect("the log").open_streams -= 1;
            log.0.1.notify_all();
        });
    }

    /// All so far.
    pub fn text(&self) -> String {
        self.0.0.lock().expect("the log").text.clone()
    }

    /// What `find` finds in the text, once it does; None if the server closes its log or time is up before.
    pub fn wait_for<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut printed = self.0.0.lock().expect("the log");
        loop {
            if let Some(found) = find(&printed.text) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            if printed.open_streams == 0 {
                return None;
            }
            printed = self.0.1.wait_timeout(printed, left).expect("the log").0;
        }
    }

    /// All, after the server has ended.
    fn complete(&self) -> String {
        let closed = |printed: &mut Printed| printed.open_streams > 0;
        let printed = self.0.0.lock().expect("the log");
        let (printed, _) = self
            .0
            .1
            .wait_timeout_while(printed, PATIENCE, closed)
            .expect("the log");
        printed.text.clone()
    }
}

/// Where one namespace of objects keeps its files.
pub fn namespace(data: &TempDir, class: &str) -> PathBuf {
    data.path().join(format!("user-api-{class}"))
}
