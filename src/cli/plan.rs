//! `reconcile plan`: plans the way from the database to schema.sql.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{
    Context, Outcome,
    options::{PLAN_STATUS, Scope},
    pipeline::{self, Wish},
};
use crate::{
    error::Error,
    plan::file::Plan,
    report::{self, Paint},
};

/// How many lines surely fit a screen.
const SCREEN: usize = 40;

/// Plan the way from the database to schema.sql, prove it on a copy, show it and write it
///
/// The plan is written to plans/<revision>.json; `reconcile apply` executes it. Nothing is changed in the database. Where
/// there is nothing to do, no plan is written, unless -o asks for one.
#[derive(Debug, clap::Args)]
#[command(after_help = PLAN_STATUS)]
pub struct Args {
    /// Write the plan to this file; `-` is standard output, and the text for people goes to standard error
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What the change is for; recorded with the revision
    #[arg(short, long, value_name = "MESSAGE")]
    message: Option<String>,
    #[command(flatten)]
    pub scope: Scope,
    /// Do not execute the plan on a copy first; the plan is marked as unproved
    #[arg(long)]
    no_proof: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome, Error> {
    let place = pipeline::place(context)?;
    let plan = pipeline::plan(context, &place, &Wish { message: args.message.as_deref(), prove: !args.no_proof })?;
    drop(place);
    let terminal = context.terminal;
    if args.output.as_deref() == Some(Path::new("-")) {
        terminal.note(&report::human(&plan, terminal.err_color));
        terminal.print(&plan.to_json())?;
        return Ok(outcome(&plan));
    }
    let path = match &args.output {
        Some(path) => Some(path.clone()),
        None if plan.is_empty() => None,
        None => Some(in_folder(&context.config.plans, &plan)?),
    };
    let mut text = report::human(&plan, terminal.out_color);
    if let Some(path) = path {
        write(&path, &plan.to_json())?;
        text.push_str(&closing(&plan, &context.shown(&path), &text, terminal.out_color));
    }
    terminal.print(&text)?;
    Ok(outcome(&plan))
}

/// What is left to say below a plan that has been written; what a long plan has scrolled away is said again.
fn closing(plan: &Plan, path: &str, above: &str, color: bool) -> String {
    let mut text = String::from("\n");
    if above.lines().count() > SCREEN {
        text.push_str(&report::summary(&plan.summary, color));
        let losses = plan.summary.losses.len();
        if losses > 0 {
            let lost = format!("  ! loses the data of {}", report::plural(losses, "object"));
            text.push_str(&Paint(color).alarm(lost));
        }
        text.push('\n');
    }
    text.push_str(&format!("The plan is in {path}\n"));
    if !plan.is_empty() {
        text.push_str(&format!("Apply it with: reconcile apply {path}\n"));
    }
    text
}

fn outcome(plan: &Plan) -> Outcome {
    if plan.is_empty() { Outcome::Done } else { Outcome::Changes }
}

/// The plan's place in the folder of plans, which is made where it is missing.
fn in_folder(folder: &Path, plan: &Plan) -> Result<PathBuf, Error> {
    fs::create_dir_all(folder).map_err(|why| Error::file("cannot make the folder", folder, &why))?;
    Ok(folder.join(format!("{}.json", plan.revision)))
}

/// Writes a file at once or not at all.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |why: &std::io::Error| Error::file("cannot write", path, why);
    // What is no ordinary file, such as /dev/stdout or a pipe, cannot be replaced.
    if path.exists() && !path.is_file() {
        return fs::write(path, text).map_err(|why| failed(&why));
    }
    let mut file =
        tempfile::Builder::new().permissions(permissions()).tempfile_in(folder).map_err(|why| failed(&why))?;
    file.write_all(text.as_bytes()).map_err(|why| failed(&why))?;
    file.persist(path).map_err(|why| failed(&why.error))?;
    Ok(())
}

/// The permissions of a file as others make it: the umask takes away from them.
fn permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o666)
}
