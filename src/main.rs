//! The `reconcile` program: parses arguments, runs one command, prints its error and sets the exit code.

use std::process::ExitCode;

use reconcile::cli::{self, Args};

fn main() -> ExitCode {
    let args = match Args::from_process() {
        Ok(args) => args,
        Err(usage) => {
            // Help and version come this way too. Clap's own code for errors, 2, says here that changes are planned.
            let _ = usage.print();
            return ExitCode::from(u8::from(usage.use_stderr()));
        }
    };
    let terminal = args.terminal();
    match cli::run(args, terminal) {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) => {
            // A server of ours that a signal has stopped makes its users fail; the signal is the program's end.
            reconcile::engine::defer_to_signal();
            terminal.note(&error.render(terminal.err_color));
            ExitCode::from(error.exit_code())
        }
    }
}
