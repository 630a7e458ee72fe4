//! The error that a command ends with: its kind decides heading and exit code, its hints say what to do next.

use std::{error::Error as StdError, fmt, io, path::Path};

use annotate_snippets::Renderer;
use anstyle::{AnsiColor, Style};

/// What went wrong in a command, with what to do about it.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    source: Box<dyn StdError + Send + Sync>,
    hints: Vec<String>,
}

/// Who has to do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The user: arguments, configuration, schema.sql or a plan are not as they should be.
    Input,
    /// The world outside: a server, a file, the network.
    Outside,
    /// Nobody, perhaps: the program keeps from something that may do harm.
    Refused,
    /// The authors of the program.
    Bug,
}

impl ErrorKind {
    fn heading(self) -> &'static str {
        match self {
            Self::Input | Self::Outside => "error",
            Self::Refused => "refused",
            Self::Bug => "error: this is a bug in reconcile",
        }
    }
}

/// Text as an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Message(String);

impl Error {
    /// An error of a kind, caused by another.
    pub fn new(kind: ErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, source: source.into(), hints: Vec::new() }
    }

    /// Input that is not as it should be.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, Message(message.into()))
    }

    /// Something that the program does not do.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, Message(message.into()))
    }

    /// A file that cannot be read or written; `what` is the verb phrase: `cannot read`.
    pub fn file(what: &str, path: &Path, why: &io::Error) -> Self {
        Self::new(ErrorKind::Outside, Message(format!("{what} {}: {why}", path.display())))
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds several things to do next.
    #[must_use]
    pub fn hints(mut self, hints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hints.extend(hints.into_iter().map(Into::into));
        self
    }

    /// Who has to do something about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The process's exit code: 1, whatever the kind, because 2 says that `plan` found changes.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Input | ErrorKind::Outside | ErrorKind::Refused | ErrorKind::Bug => 1,
        }
    }

    /// The error for people: heading, message, causes, hints; ends in a newline.
    pub fn render(&self, color: bool) -> String {
        let red = paint(AnsiColor::Red, color);
        let cyan = paint(AnsiColor::Cyan, color);
        let mut said = self.told(color);
        let mut out = format!("{red}{}:{red:#} {}\n", self.kind.heading(), said.trim_end());
        let mut cause = self.source.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many messages end in the message of their cause, and that of PostgreSQL's errors begins with "ERROR".
            let new = text.strip_prefix("ERROR: ").unwrap_or(&text).trim_end();
            if !said.contains(new) && new != "db error" {
                out.push_str(&format!("  caused by: {new}\n"));
                said.push_str(new);
            }
            cause = error.source();
        }
        for hint in &self.hints {
            out.push_str(&format!("{cyan}hint:{cyan:#} {hint}\n"));
        }
        out
    }
}

impl Error {
    /// What happened, with the place in the SQL where there is one.
    fn told(&self, color: bool) -> String {
        if let Some(error) = self.source.downcast_ref::<crate::source::LoadError>() {
            return error.render(color);
        }
        match self.source.downcast_ref() {
            Some(crate::apply::Error::Failed(failure)) => {
                failure.rendered(&if color { Renderer::styled() } else { Renderer::plain() })
            }
            _ => self.source.to_string(),
        }
    }
}

fn paint(color: AnsiColor, on: bool) -> Style {
    if on { Style::new().bold().fg_color(Some(color.into())) } else { Style::new() }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl From<crate::config::Error> for Error {
    fn from(error: crate::config::Error) -> Self {
        let hints = error.hints();
        Self::new(ErrorKind::Input, error).hints(hints)
    }
}

impl From<crate::plan::file::FileError> for Error {
    fn from(error: crate::plan::file::FileError) -> Self {
        use crate::plan::file::FileError;
        let hint = match &error {
            FileError::Json(_) => "a plan is written by `reconcile plan`",
            FileError::Format(_) => "make the plan again with this program, or use the program that made it",
            FileError::Edited { .. } => "plans are not edited: change schema.sql and make the plan again",
        };
        Self::new(ErrorKind::Input, error).hint(hint)
    }
}

impl From<crate::catalog::ReadError> for Error {
    fn from(error: crate::catalog::ReadError) -> Self {
        use crate::catalog::ReadError;
        let kind = if matches!(error, ReadError::Row { .. }) { ErrorKind::Bug } else { ErrorKind::Outside };
        Self::new(kind, error)
    }
}

impl From<crate::connect::Error> for Error {
    fn from(error: crate::connect::Error) -> Self {
        use crate::connect::Error as Connect;
        let kind = if matches!(error, Connect::Connect { .. } | Connect::Read { .. }) {
            ErrorKind::Outside
        } else {
            ErrorKind::Input
        };
        let hints = error.hints();
        Self::new(kind, error).hints(hints)
    }
}

impl From<crate::engine::Error> for Error {
    fn from(error: crate::engine::Error) -> Self {
        let hints = error.hints();
        Self::new(ErrorKind::Outside, error).hints(hints)
    }
}

impl From<crate::history::Error> for Error {
    fn from(error: crate::history::Error) -> Self {
        use crate::history::Error as History;
        let kind = if matches!(error, History::Postgres { .. }) { ErrorKind::Outside } else { ErrorKind::Input };
        let hints = error.hints();
        Self::new(kind, error).hints(hints)
    }
}

impl From<crate::source::LoadError> for Error {
    fn from(error: crate::source::LoadError) -> Self {
        use crate::source::LoadError as Load;
        let kind = if matches!(error, Load::Statements(_)) { ErrorKind::Input } else { ErrorKind::Outside };
        Self::new(kind, error)
    }
}

impl From<crate::source::Error> for Error {
    fn from(error: crate::source::Error) -> Self {
        use crate::source::Error as Source;
        let found = |path: &Path, why: &io::Error| path.is_relative() && why.kind() == io::ErrorKind::NotFound;
        match &error {
            Source::Read { path, source } if found(path, source) => {
                let hint = "it holds the desired state: write it, name another with --schema, or make one from a database \
                    with `reconcile inspect --db URL`";
                Self::new(ErrorKind::Input, error).hint(hint)
            }
            _ => Self::new(ErrorKind::Input, error),
        }
    }
}

impl From<crate::plan::PlanError> for Error {
    fn from(error: crate::plan::PlanError) -> Self {
        use crate::plan::PlanError as Plan;
        match error {
            Plan::Connect(error) => error.into(),
            Plan::Read(error) => error.into(),
            Plan::Engine(error) => error.into(),
            Plan::Load(error) => error.into(),
            Plan::Rehearsal(error) => error.into(),
            Plan::Proof(error) => error.into(),
            Plan::Cycle(error) => error.into(),
            Plan::Postgres(_) => Self::new(ErrorKind::Outside, error),
            Plan::Literal(_) => {
                let hint =
                    "write '${NAME}' in the place of the secret, and set the variable NAME where the plan is applied";
                Self::new(ErrorKind::Input, error).hint(hint)
            }
            Plan::Hidden { .. } => {
                let hint = "write it into schema.sql with '${NAME}' in the place of the secret, and set NAME where it is applied";
                Self::new(ErrorKind::Input, error).hint(hint)
            }
            Plan::Surroundings(crate::plan::SurroundingsError::Rehearsal(error)) => error.into(),
            Plan::Surroundings(crate::plan::SurroundingsError::Statements { ref hints, .. }) => {
                let hints = hints.clone();
                Self::new(ErrorKind::Input, error).hints(hints)
            }
            Plan::RoleNeeded { .. } => {
                let hint = "create the role in schema.sql, or see to it that nothing needs it any more";
                Self::new(ErrorKind::Input, error).hint(hint)
            }
            Plan::Unmodelled { .. } => {
                let hint = "leave them out of what is managed: manage.schemas or manage.ignore in reconcile.yaml";
                Self::new(ErrorKind::Input, error).hint(hint)
            }
        }
    }
}

impl From<crate::plan::Cycle> for Error {
    fn from(error: crate::plan::Cycle) -> Self {
        Self::new(ErrorKind::Bug, error).hint(REPORT)
    }
}

impl From<crate::plan::RehearsalError> for Error {
    fn from(error: crate::plan::RehearsalError) -> Self {
        use crate::plan::RehearsalError as Rehearsal;
        match error {
            Rehearsal::Engine(error) => error.into(),
            Rehearsal::Read(error) => error.into(),
            Rehearsal::Cycle(error) => error.into(),
            Rehearsal::Postgres(_) => Self::new(ErrorKind::Outside, error),
            Rehearsal::Statement { error: ref refused, .. } => match refused.lacking() {
                Some(hint) => Self::new(ErrorKind::Outside, error).hint(hint),
                None => Self::new(ErrorKind::Bug, error).hint(REPORT),
            },
        }
    }
}

impl From<crate::plan::ProofError> for Error {
    fn from(error: crate::plan::ProofError) -> Self {
        use crate::plan::ProofError as Proof;
        let steps = match &error {
            Proof::Rehearsal(_) => &[][..],
            Proof::Step { steps, .. } | Proof::Differs { steps, .. } | Proof::Rows { steps, .. } => steps,
        };
        let steps: String = steps.iter().enumerate().map(|(n, sql)| format!("\n  {}. {sql}", n + 1)).collect();
        let steps = if steps.is_empty() { steps } else { format!("\nthe steps:{steps}") };
        match error {
            Proof::Rehearsal(error) => error.into(),
            error => Self::new(ErrorKind::Bug, Message(format!("{error}{steps}"))).hint(REPORT).hint(UNPROVED),
        }
    }
}

impl From<crate::apply::Error> for Error {
    fn from(error: crate::apply::Error) -> Self {
        use crate::apply::Error as Apply;
        let hints = error.hints();
        let kind = match error {
            Apply::Connect(error) => return error.into(),
            Apply::Ledger(error) => return error.into(),
            Apply::Read(error) => return error.into(),
            Apply::Failed(_) | Apply::Postgres { .. } | Apply::Mismatch { .. } => ErrorKind::Outside,
            _ => ErrorKind::Refused,
        };
        Self::new(kind, error).hints(hints)
    }
}

/// What to do about a bug.
const REPORT: &str = "please report it, with schema.sql and the schema of the database if you can";
/// What to do about a plan that does not hold on a copy.
const UNPROVED: &str = "nothing was written and nothing was changed; --no-proof writes the plan unproved";

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the catalogs: {0}")]
    struct Repeats(#[source] Message);

    #[derive(Debug, thiserror::Error)]
    #[error("cannot connect")]
    struct Brief(#[source] Message);

    #[test]
    fn causes_are_told_once() {
        let repeats = Error::new(ErrorKind::Outside, Repeats(Message("permission denied".into())));
        assert_eq!(repeats.render(false), "error: cannot read the catalogs: permission denied\n");
        let brief = Error::new(ErrorKind::Outside, Brief(Message("no route".into()))).hint("is it up?");
        assert_eq!(brief.render(false), "error: cannot connect\n  caused by: no route\nhint: is it up?\n");
    }

    #[test]
    fn headings_follow_the_kind() {
        assert!(Error::refused("the plan is stale").render(false).starts_with("refused: the plan"));
        let bug = Error::new(ErrorKind::Bug, Message("it does not converge".into()));
        assert!(bug.render(false).starts_with("error: this is a bug in reconcile: it does not converge"));
        assert!(bug.render(true).contains("\u{1b}["));
    }
}
