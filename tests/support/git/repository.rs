//! A repository in a temporary folder, and `git` in it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// A bare repository that `git http-backend` serves.
pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    /// Makes an empty repository.
    pub(crate) fn empty() -> Self {
        Self::with_format("sha1")
    }

    /// Makes an empty repository with this object format.
    pub(crate) fn with_format(format: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let repository = Self { folder };
        repository.git(&["init", "-q", "--bare", "-b", "main", &format!("--object-format={format}"), "."]);
        for setting in ["http.receivepack=true", "uploadpack.allowFilter=true", "receive.autogc=false"] {
            let (key, value) = setting.split_once('=').expect("it is written so above");
            repository.git(&["config", key, value]);
        }
        repository
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `git`, and returns its output without the final newline. It must succeed.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = self.try_git(args);
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("git prints UTF-8 here").trim_end().to_owned()
    }

    /// Runs `git`, and returns its result.
    pub(crate) fn try_git(&self, args: &[&str]) -> Output {
        git_in(self.path()).args(args).stdin(Stdio::null()).output().expect("git can be run")
    }

    /// How many commits only `one` reaches, and how many only `other` reaches. Objects of `beside` count as this repository's.
    pub(crate) fn divergence(&self, beside: &Self, one: &str, other: &str) -> (u32, u32) {
        let mut command = git_in(self.path());
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", beside.path().join("objects"));
        let range = format!("{one}...{other}");
        let output = command.args(["rev-list", "--left-right", "--count", &range]).output().expect("git can be run");
        assert!(output.status.success(), "git rev-list: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("it prints numbers");
        let numbers: Vec<u32> = text.split_whitespace().map(|text| text.parse().expect("a number")).collect();
        (numbers[0], numbers[1])
    }

    /// Builds history from a `git fast-import` stream.
    pub(crate) fn import(&self, stream: &str) {
        self.feed("git", &["fast-import", "--quiet", "--force"], stream);
    }

    /// Runs a program in the folder with this input, and returns its output. It must succeed.
    pub(crate) fn feed(&self, program: &str, args: &[&str], input: &str) -> String {
        use std::io::Write;
        let mut command = Command::new(program);
        isolate(&mut command);
        let child = command.current_dir(self.path()).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("it can be run");
        let (mut stdin, input) = (child.stdin.take().expect("it is piped"), input.to_owned());
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{program} {args:?} refused what it read");
        writer.join().expect("the writer does not panic").expect("it reads all");
        String::from_utf8(output.stdout).expect("it prints UTF-8 here")
    }

    /// Makes a commit with these parents and no files, and returns its id. No ref names it.
    pub(crate) fn commit(&self, message: &str, parents: &[&str]) -> String {
        let tree = self.git(&["hash-object", "-w", "-t", "tree", "/dev/null"]);
        let mut args = vec!["commit-tree", &tree, "-m", message];
        for parent in parents {
            args.extend(["-p", parent]);
        }
        self.git(&args)
    }

    /// All refs and their ids, as Git lists them.
    pub(crate) fn refs(&self) -> BTreeMap<String, String> {
        let list = self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        list.lines().filter_map(|l| l.split_once(' ')).map(|(name, id)| (name.to_owned(), id.to_owned())).collect()
    }

    /// Checks that every object exists and is valid.
    pub(crate) fn fsck(&self) {
        let output = self.try_git(&["fsck", "--full", "--strict"]);
        assert!(output.status.success(), "git fsck: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// `git` in a folder, free of this machine's settings and clock.
pub(crate) fn git_in(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder);
    isolate(&mut command);
    command
}

/// Removes settings that would make Git behave differently on other machines.
pub(crate) fn isolate(command: &mut Command) {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GIT_")) {
        command.env_remove(name);
    }
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", PathBuf::from("/nonexistent"))
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_NAME", "C")
        .env("GIT_COMMITTER_EMAIL", "c@example.com")
        .env("GIT_AUTHOR_DATE", "1700000000 +0000")
        .env("GIT_COMMITTER_DATE", "1700000000 +0000");
}
