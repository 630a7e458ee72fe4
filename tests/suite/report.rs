//! What people see of a plan.

use reconcile::report::{human, losses, sql};

use crate::plans;

#[test]
fn a_plan_with_nothing_to_do_is_one_sentence() {
    insta::assert_snapshot!(human(&plans::empty(), false));
}

#[test]
fn a_small_plan_for_people() {
    insta::assert_snapshot!(human(&plans::small(), false));
}

#[test]
fn a_small_plan_as_sql() {
    insta::assert_snapshot!(sql(&plans::small()));
}

#[test]
fn fields_before_and_after() {
    insta::assert_snapshot!(human(&plans::fields(), false));
}

#[test]
fn long_bodies_are_folded_for_people_and_complete_as_sql() {
    let plan = plans::long();
    let text = human(&plan, false);
    assert!(text.contains("RAISE NOTICE 'line 20'") && !text.contains("RAISE NOTICE 'line 40'"), "{text}");
    assert!(text.contains("more lines: `reconcile show --format sql`"), "{text}");
    assert!(text.contains("Not proved"), "{text}");
    let script = sql(&plan);
    assert!(script.contains(&plan.steps[0].sql), "{script}");
    assert!(script.contains("NOT PROVED"), "{script}");
}

#[test]
fn losses_come_first_and_red() {
    let text = human(&plans::small(), true);
    let (lost, changes) = (text.find("Data is lost").unwrap(), text.find("Changes").unwrap());
    assert!(lost < changes, "{text}");
    let red = "\u{1b}[1m\u{1b}[31m- TABLE app.old\u{1b}[0m";
    assert_eq!(text.matches(red).count(), 2, "{text:?}");
    assert!(losses(&plans::small(), false).contains("--allow-loss 'TABLE app.old'"));
    assert_eq!(losses(&plans::empty(), true), "");
}

#[test]
fn colour_changes_no_word() {
    for plan in [plans::empty(), plans::small(), plans::fields(), plans::long()] {
        assert_eq!(anstream::adapter::strip_str(&human(&plan, true)).to_string(), human(&plan, false));
        assert!(!human(&plan, false).contains('\u{1b}'));
    }
}
