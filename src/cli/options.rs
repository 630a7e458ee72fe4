//! The options that every command takes.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::config::{EngineLayer, Layer, ManageLayer};

/// The options that every command takes.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Common options")]
pub struct Options {
    /// The desired state: a file, a directory, `-` for standard input; may be given several times [env: RECONCILE_SCHEMA]
    #[arg(long, global = true, value_name = "PATH")]
    pub schema: Vec<PathBuf>,
    /// The database: a URL, `key=value` pairs or a name; the PG* environment counts too [env: RECONCILE_DB]
    #[arg(long, global = true, value_name = "URL")]
    pub db: Option<String>,
    /// The scratch PostgreSQL: `auto`, a server's URL, or `target` for a scratch database there [env: RECONCILE_ENGINE]
    #[arg(long, global = true, value_name = "auto|URL|target")]
    pub engine: Option<String>,
    /// The configuration file; otherwise reconcile.yaml here or in a folder above [env: RECONCILE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// When to colour the output; NO_COLOR counts too [env: RECONCILE_COLOR]
    #[arg(long, global = true, value_name = "WHEN")]
    color: Option<Color>,
}

/// The exit codes of `plan`, for `--help`.
pub const PLAN_STATUS: &str = "Exit status: 0 nothing to do, 2 changes planned, 1 error";

/// What is managed, for the commands that compare or read databases.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Scope {
    /// Manage `all` of the database, or these schemas, between commas [env: RECONCILE_MANAGE]
    #[arg(long, value_name = "all|SCHEMAS")]
    manage: Option<String>,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Options {
    /// What the flags say about the configuration.
    pub fn layer(&self, scope: Option<&Scope>) -> Layer {
        let manage = scope.and_then(|scope| scope.manage.as_deref());
        Layer {
            manage: manage.map(ManageLayer::from_word).unwrap_or_default(),
            db: self.db.clone(),
            schema: (!self.schema.is_empty()).then(|| self.schema.clone()),
            engine: self.engine.as_deref().map(EngineLayer::from_word).unwrap_or_default(),
            ..Layer::default()
        }
    }

    /// When output is coloured.
    pub fn color(&self) -> Color {
        self.color.unwrap_or_else(Color::of_environment)
    }
}

impl Color {
    /// The choice among arguments that are not parsed yet.
    pub fn among<S: AsRef<str>>(arguments: impl Iterator<Item = S>) -> Self {
        let mut chosen = None;
        let mut next = false;
        for argument in arguments {
            let argument = argument.as_ref();
            if let Some(value) = argument.strip_prefix("--color=").or(next.then_some(argument)) {
                chosen = Self::from_str(value, false).ok();
            }
            next = argument == "--color";
        }
        chosen.unwrap_or_else(Self::of_environment)
    }

    fn of_environment() -> Self {
        let said = std::env::var("RECONCILE_COLOR").ok();
        said.and_then(|value| Self::from_str(&value, false).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Color;

    #[test]
    fn the_colour_is_found_among_raw_arguments() {
        assert_eq!(Color::among(["reconcile", "--color=never", "plan"].iter()), Color::Never);
        assert_eq!(Color::among(["reconcile", "plan", "--color", "always"].iter()), Color::Always);
        assert_eq!(Color::among(["reconcile", "plan", "--color"].iter()), Color::of_environment());
    }
}
