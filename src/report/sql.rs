//! A plan as an SQL script.

use super::{address::plural, terminal::summary};
use crate::{
    catalog::Hazard,
    plan::file::{Group, Plan, Step},
};

/// The plan as an SQL script for `psql`: comments, every statement in full, BEGIN and COMMIT around each group.
pub fn sql(plan: &Plan) -> String {
    let mut out = String::new();
    let mut say = |text: String| out.push_str(&comment(&text));
    say(format!("Plan {} for {} on PostgreSQL {}", plan.revision, plan.target.database, plan.target.major));
    plan.message.iter().cloned().for_each(&mut say);
    say(format!("from {}", crate::sql::join(&plan.source.paths, ", ")));
    say(summary(&plan.summary, false));
    plan.summary.losses.iter().for_each(|loss| say(format!("loses the data of {loss}")));
    say(if plan.proof.proved { "proved on a copy" } else { "NOT PROVED" }.to_owned());
    say("`reconcile apply` records a revision and checks the database first; this script does neither.".to_owned());
    for (number, Group { first, count, transaction }) in plan.groups.iter().enumerate() {
        let title = match transaction {
            true => format!(
                "Part {} of {}: {} in a transaction",
                number + 1,
                plan.groups.len(),
                plural(*count, "statement")
            ),
            false => format!("Part {} of {}: outside a transaction", number + 1, plan.groups.len()),
        };
        out.push_str(&format!("\n{}", comment(&title)));
        if *transaction {
            out.push_str("BEGIN;\n");
        }
        for (index, step) in plan.steps.iter().enumerate().skip(*first).take(*count) {
            out.push_str(&format!("\n{}", statement(index, plan.steps.len(), step)));
        }
        if *transaction {
            out.push_str("\nCOMMIT;\n");
        }
    }
    out
}

fn statement(index: usize, of: usize, step: &Step) -> String {
    let about = [&step.creates, &step.changes, &step.destroys].into_iter().find_map(|list| list.first());
    let about = about.map(|object| format!(" {object}")).unwrap_or_default();
    let source = step.source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
    let mut out = comment(&format!("{}/{of}{about}{source}", index + 1));
    for hazard in &step.hazards {
        out.push_str(&comment(&match hazard {
            Hazard::Loss { what } => format!("loses the data of {what}"),
            Hazard::MayFail { why } => format!("may fail: {why}"),
            Hazard::Behaviour { why } => why.clone(),
        }));
    }
    for guard in &step.guards {
        out.push_str(&comment(&format!("requires that {}; no row may come from:\n{}", guard.requires, guard.query)));
    }
    out.push_str(&format!("{};\n", step.sql));
    out
}

/// Text as comment lines, so that no line of it is executed.
fn comment(text: &str) -> String {
    text.lines().map(|line| format!("-- {line}").trim_end().to_owned() + "\n").collect()
}
