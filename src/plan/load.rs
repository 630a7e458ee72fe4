//! The desired state: the source, loaded into a scratch database and read back.

use std::collections::BTreeSet;

use super::{
    file::Scope,
    make::PlanError,
    rehearsal::{RehearsalError, Session},
    scope::touched,
    script::statements,
};
use crate::{
    catalog::{self, Catalog, Extent, ObjectId},
    engine::{Engine, Scratch, Spec},
    source::{self, About, Source},
};

/// The desired state, as it was loaded.
pub(super) struct Desired {
    /// A new database.
    pub empty: Catalog,
    /// What was there before the source was loaded: a new database, and what the source refers to but does not manage.
    pub baseline: Catalog,
    /// What is there afterwards.
    pub catalog: Catalog,
    /// What the source says that has no effect, for people.
    pub warnings: Vec<String>,
    /// The database with all of this, which nobody needs any more: to delete it takes its time.
    pub scratch: Scratch,
}

/// A source that did not load into an empty database.
pub(super) struct Stuck {
    /// A new database.
    pub empty: Catalog,
    /// How far it got.
    pub partial: Catalog,
    error: source::LoadError,
}

/// Loads a source into an empty database.
pub(super) fn load(
    engine: &Engine,
    spec: &Spec,
    source: &Source,
    extent: Extent,
) -> Result<Result<Desired, Box<Stuck>>, PlanError> {
    let scratch = engine.database(spec)?;
    let ledger = extent.ledger;
    let (empty, loaded) = if engine.owned() {
        // What a new database holds is read from a copy while the source is loaded.
        let copy = scratch.copy()?;
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || read(&copy, ledger));
            let loaded = run(engine, &scratch, source, extent);
            (reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), loaded)
        })
    } else {
        (read(&scratch, ledger), run(engine, &scratch, source, extent))
    };
    let empty = empty?;
    if let Err(error) = loaded {
        let PlanError::Load(error) = error else { return Err(error) };
        return Ok(Err(Box::new(Stuck { empty, partial: read(&scratch, ledger)?, error })));
    }
    let catalog = read(&scratch, ledger)?;
    Ok(Ok(Desired { baseline: empty.clone(), empty, catalog, warnings: loaded?, scratch }))
}

impl Stuck {
    /// Loads the source beside what the target has and the scope leaves alone: the source may refer to it.
    pub(super) fn load_beside(
        self,
        engine: &Engine,
        spec: &Spec,
        source: &Source,
        current: &Catalog,
        scope: &Scope,
    ) -> Result<Desired, PlanError> {
        let Self { empty, partial, error } = self;
        let ledger = &scope.ledger;
        let around = around(&empty, &partial, source, &current.inside(), scope);
        if around.len() == empty.len() {
            return Err(error.into());
        }
        let scratch = engine.database(spec)?;
        let mut session = Session::open(&scratch)?;
        let made = statements(&empty, &around).map_err(RehearsalError::from)?;
        session.run_all(&made, "while what the desired state does not manage was copied")?;
        drop(session);
        let baseline = read(&scratch, ledger)?;
        // What the source lacks is better told by the first attempt, unless the second one got further.
        let warnings = run(engine, &scratch, source, scope.extent()).map_err(|second| match second {
            PlanError::Load(second) if second.count() >= error.count() => PlanError::Load(error),
            second => second,
        })?;
        Ok(Desired { empty, baseline, catalog: read(&scratch, ledger)?, warnings, scratch })
    }
}

/// What the target has beside what is managed, and beside the schemas into which the source puts something.
fn around(baseline: &Catalog, partial: &Catalog, source: &Source, current: &Catalog, scope: &Scope) -> Catalog {
    let (mut made, _) = touched(baseline, partial);
    made.extend(source.schemas());
    let beside = |id: &ObjectId| !scope.holds(id) && id.schema().is_none_or(|schema| !made.contains(schema));
    // What hangs on a schema of the source's own (a foreign key to it) cannot stand there yet.
    let mut left_out: BTreeSet<&ObjectId> = current.iter().map(|(id, _)| id).filter(|id| !beside(id)).collect();
    loop {
        let before = left_out.len();
        let hanging: Vec<_> =
            current.ties().filter(|(_, to, _)| left_out.contains(to)).map(|(from, _, _)| from).collect();
        left_out.extend(hanging);
        if left_out.len() == before {
            break;
        }
    }
    baseline.merged(|_| true, current, |id| !left_out.contains(id))
}

fn read(scratch: &Scratch, ledger: &str) -> Result<Catalog, PlanError> {
    Ok(catalog::read(&mut scratch.connect()?, ledger)?)
}

fn run(engine: &Engine, scratch: &Scratch, source: &Source, extent: Extent) -> Result<Vec<String>, PlanError> {
    let mut client = scratch.connect()?;
    let mut lender = scratch.lender()?;
    let session = source::Session {
        client: &mut client,
        lender: lender.as_mut().map(|it| it as &mut dyn source::Lender),
        beyond: if engine.owned() { source::Beyond::Run } else { source::Beyond::Skip },
    };
    let loaded = source::load(source, session)?;
    let mut warnings: Vec<String> = scratch.notes().to_vec();
    warnings.extend(source.warnings().iter().map(ToString::to_string));
    let managed = |about: About| match about {
        About::Roles => extent.roles,
        About::Database => extent.database,
        About::Server => false,
    };
    warnings.extend(loaded.beyond.iter().filter(|(about, _)| !managed(*about)).map(|(_, warning)| warning.to_string()));
    warnings.extend(loaded.warnings);
    Ok(warnings)
}
