//! A project in a folder of its own, and the program run in it: tests read as sentences.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use nix::pty::{OpenptyResult, openpty};
use reconcile::engine::Scratch;

/// A project's folder. It is deleted when the project goes out of scope.
pub struct Project {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Project {
    /// An empty folder, outside of every git work tree and below no reconcile.yaml.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: BTreeMap::new() }
    }

    /// The project with this schema.sql.
    pub fn schema(self, sql: &str) -> Self {
        self.file("schema.sql", sql)
    }

    /// The project with this reconcile.yaml.
    pub fn config(self, yaml: &str) -> Self {
        self.file("reconcile.yaml", yaml)
    }

    /// The project with a file of this content, new or changed.
    pub fn file(self, path: &str, content: &str) -> Self {
        self.write(path, content);
        self
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The project with a variable in the program's environment.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The variables in the program's environment.
    pub fn variables(&self) -> impl Iterator<Item = (&String, &String)> {
        self.variables.iter()
    }

    /// The project with a database, by the PG* environment.
    pub fn on(self, database: &Scratch) -> Self {
        database.target().variables().into_iter().fold(self, |project, (name, value)| project.variable(name, &value))
    }

    /// The path of a file of the project.
    pub fn path(&self, path: &str) -> PathBuf {
        assert!(Path::new(path).is_relative(), "{path} is not inside the project");
        self.folder.path().join(path)
    }

    /// The content of a file of the project.
    pub fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
    }

    /// The names in a folder of the project, sorted; none where there is no folder.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    /// Runs the program in the project's folder, without a terminal and with nothing on standard input.
    #[must_use = "say what is expected of the run"]
    pub fn run<const N: usize>(&self, arguments: [&str; N]) -> Run {
        self.run_in(".", "", &arguments)
    }

    /// Runs the program with this on standard input.
    #[must_use = "say what is expected of the run"]
    pub fn run_with<const N: usize>(&self, input: &str, arguments: [&str; N]) -> Run {
        self.run_in(".", input, &arguments)
    }

    /// Runs the program in a folder of the project.
    #[must_use = "say what is expected of the run"]
    pub fn run_in(&self, folder: &str, input: &str, arguments: &[&str]) -> Run {
        let mut child = self.command(folder).args(arguments).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read its input may be gone already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        Run { output: child.wait_with_output().unwrap(), what: arguments.join(" "), coded: false }
    }

    /// Runs the program on a terminal without colours, where a person types this; what it writes is standard output.
    #[must_use = "say what is expected of the run"]
    pub fn answer(&self, typed: &str, arguments: &[&str]) -> Run {
        let OpenptyResult { master, slave } = openpty(None, None).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let mut command = self.command(".");
        command.args(arguments).env("NO_COLOR", "1").env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end());
        let mut child = command.spawn().unwrap();
        // The terminal ends when the program, and nobody else, has let go of it.
        drop((command, slave));
        let mut terminal = fs::File::from(master);
        terminal.write_all(typed.as_bytes()).unwrap();
        let mut said = Vec::new();
        let mut some = [0; 4096];
        while let Ok(length @ 1..) = terminal.read(&mut some) {
            said.extend_from_slice(&some[..length]);
        }
        let stdout = String::from_utf8(said).unwrap().replace("\r\n", "\n").into_bytes();
        let output = Output { status: child.wait().unwrap(), stdout, stderr: Vec::new() };
        Run { output, what: arguments.join(" "), coded: false }
    }

    /// The program in a folder of the project, with no configuration from the test's own environment.
    pub fn command(&self, folder: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        let ours = |name: &str| name.starts_with("RECONCILE_") || name.starts_with("PG") || name == "NO_COLOR";
        for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        command.envs(&self.variables).current_dir(self.path(folder));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A run of the program that has ended.
pub struct Run {
    output: Output,
    what: String,
    coded: bool,
}

impl Run {
    /// It ended with this exit code. Said first, since what was printed means something only together with it.
    pub fn code(mut self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "{}", self.told());
        self.coded = true;
        self
    }

    /// Standard output holds this.
    pub fn stdout_has(self, text: &str) -> Self {
        let holds = self.stdout().contains(text);
        self.check(holds, "standard output lacks", text)
    }

    /// Standard error holds this.
    pub fn stderr_has(self, text: &str) -> Self {
        let holds = self.stderr().contains(text);
        self.check(holds, "standard error lacks", text)
    }

    /// Neither standard output nor standard error holds this.
    pub fn never_says(self, text: &str) -> Self {
        let said = self.stdout().contains(text) || self.stderr().contains(text);
        self.check(!said, "the output holds", text)
    }

    /// Standard output is this.
    pub fn stdout_is(self, text: &str) -> Self {
        let holds = self.stdout() == text;
        self.check(holds, "standard output is not", text)
    }

    /// Standard output is empty.
    pub fn stdout_is_empty(self) -> Self {
        assert!(self.coded && self.output.stdout.is_empty(), "{}", self.told());
        self
    }

    /// What was written to standard output.
    pub fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).expect("UTF-8 on standard output")
    }

    /// What was written to standard error.
    pub fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).expect("UTF-8 on standard error")
    }

    fn check(self, holds: bool, what: &str, text: &str) -> Self {
        assert!(self.coded, "say the exit code of `{}` before what it printed", self.what);
        assert!(!text.is_empty(), "every text holds the empty text");
        assert!(holds, "{what} {text:?}\n{}", self.told());
        self
    }

    fn told(&self) -> String {
        let Self { what, output, .. } = self;
        format!("reconcile {what}: {}\n--- stdout\n{}\n--- stderr\n{}", output.status, self.stdout(), self.stderr())
    }
}
