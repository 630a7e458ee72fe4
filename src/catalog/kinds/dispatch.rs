//! What the list of all kinds expands to: `enum Kind`, `enum Object`, and each method of [`Definition`](super::Definition)
//! for both.

/// Makes `enum Kind`, `enum Object` and the dispatch from one list; the list's order breaks ties between steps.
macro_rules! kinds {
    ($($kind:ident($definition:ty) $name:literal,)*) => {
        /// What sort of object an address names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $(#[doc = concat!("`", stringify!($kind), "`: see [`Object::", stringify!($kind), "`].")]
              #[serde(rename = $name)] $kind,)*
        }

        /// One object's definition; the same one may stand in several catalogs.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Object {
            $(#[doc = concat!("A definition of kind `", $name, "`.")] $kind(Arc<$definition>),)*
        }

        impl Kind {
            /// Every kind, in the list's order.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),*];

            /// The kind's name in files: `foreign_key`.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            /// The kind of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Kind::$kind),)* _ => None }
            }

            /// The keyword in DDL: `MATERIALIZED VIEW`.
            pub fn keyword(self) -> &'static str {
                match self { $(Kind::$kind => <$definition>::KEYWORD,)* }
            }

            /// See [`Definition::address`].
            pub fn address(self, id: &ObjectId) -> String {
                match self { $(Kind::$kind => <$definition>::address(id),)* }
            }

            /// How addresses are spelled.
            pub fn shape(self) -> Shape {
                match self { $(Kind::$kind => <$definition>::SHAPE,)* }
            }

            /// Whether objects of this kind live in schemas.
            pub fn in_schema(self) -> bool {
                match self { $(Kind::$kind => <$definition>::IN_SCHEMA,)* }
            }

            /// Whether a copy of a database lacks the object.
            pub fn shared(self) -> bool {
                match self { $(Kind::$kind => <$definition>::SHARED,)* }
            }

            /// Whether objects of this kind tie two wholes together.
            pub fn links(self) -> bool {
                match self { $(Kind::$kind => <$definition>::LINKS,)* }
            }

            /// Whether another definition is created beside the old one.
            pub fn swaps(self) -> bool {
                match self { $(Kind::$kind => <$definition>::SWAPS,)* }
            }

            /// Whether the old definition is in the way of another, with every value of it.
            pub fn in_the_way(self) -> bool {
                match self { $(Kind::$kind => <$definition>::IN_THE_WAY,)* }
            }

            /// What definitions of this kind say about their object.
            pub fn concern(self) -> Concern {
                match self { $(Kind::$kind => <$definition>::CONCERN,)* }
            }

            /// Whether the object says something of a member of an extension.
            pub fn of_members(self) -> bool {
                match self { $(Kind::$kind => <$definition>::OF_MEMBERS,)* }
            }

            /// Whether dropping the object loses rows, values or counters.
            pub fn holds_data(self) -> bool {
                match self { $(Kind::$kind => <$definition>::HOLDS_DATA,)* }
            }

            /// Whether the definition makes the object whole that it is about.
            pub fn completes(self) -> bool {
                match self { $(Kind::$kind => <$definition>::COMPLETES,)* }
            }

            /// Whether the object goes along with an owner that is created after it.
            pub fn created_before_owner(self) -> bool {
                match self { $(Kind::$kind => <$definition>::CREATED_BEFORE_OWNER,)* }
            }

            /// Whether the object has options whose values may be secret.
            pub fn has_options(self) -> bool {
                match self { $(Kind::$kind => <$definition>::HAS_OPTIONS,)* }
            }

            /// See [`Definition::PRESENT`].
            pub(super) fn present(self) -> &'static str {
                match self { $(Kind::$kind => <$definition>::PRESENT,)* }
            }

            pub(super) fn query(self) -> &'static str {
                match self { $(Kind::$kind => <$definition>::QUERY,)* }
            }
        }

        $(impl From<$definition> for Object {
            fn from(definition: $definition) -> Self {
                Self::$kind(Arc::new(definition))
            }
        })*

        impl Object {
            /// The definition's kind.
            pub fn kind(&self) -> Kind {
                match self { $(Object::$kind(_) => Kind::$kind,)* }
            }

            /// The definition's fields as JSON, sorted as they are declared.
            pub fn to_json(&self) -> Value {
                match self { $(Object::$kind(it) => serde_json::to_value(&**it).unwrap_or_default(),)* }
            }

            /// A definition from its fields.
            pub fn from_json(kind: Kind, fields: Value) -> Result<Self, serde_json::Error> {
                Ok(match kind { $(Kind::$kind => Object::$kind(Arc::new(serde_json::from_value(fields)?)),)* })
            }

            /// See [`Definition::create`].
            pub fn create(&self, at: &At) -> Vec<Step> {
                match self { $(Object::$kind(it) => it.create(at),)* }
            }

            /// See [`Definition::alter`]; another kind under the same address is a replacement.
            pub fn alter(&self, to: &Object, at: &At) -> Alteration {
                match (self, to) {
                    $((Object::$kind(it), Object::$kind(to)) => it.alter(to, at),)*
                    #[allow(unreachable_patterns, reason = "a list of one kind has no other pair")]
                    _ => Alteration::Replace,
                }
            }

            /// See [`Definition::carries_along`].
            pub fn carries_along(&self, to: &Object) -> bool {
                match (self, to) {
                    $((Object::$kind(it), Object::$kind(to)) => it.carries_along(to),)*
                    _ => false,
                }
            }

            /// See [`Definition::waits_for`].
            pub fn waits_for(&self, to: &Object, at: &At) -> Vec<ObjectId> {
                match (self, to) {
                    $((Object::$kind(it), Object::$kind(to)) => it.waits_for(to, at),)*
                    _ => Vec::new(),
                }
            }

            /// See [`Definition::comes_after`].
            pub fn comes_after(&self, at: &At) -> Vec<ObjectId> {
                match self { $(Object::$kind(it) => it.comes_after(at),)* }
            }

            /// See [`Definition::drop`].
            pub fn drop(&self, at: &At) -> Vec<Step> {
                match self { $(Object::$kind(it) => Definition::drop(&**it, at),)* }
            }

            /// See [`Definition::clause`].
            pub fn clause(&self, at: &At) -> Option<String> {
                match self { $(Object::$kind(it) => it.clause(at),)* }
            }

            /// See [`Definition::is_clause`].
            pub fn is_clause(&self, at: &At) -> bool {
                match self { $(Object::$kind(it) => it.is_clause(at),)* }
            }

            /// See [`Definition::carrier`].
            pub fn carrier(&self, at: &At) -> Option<ObjectId> {
                match self { $(Object::$kind(it) => it.carrier(at),)* }
            }

            /// See [`Definition::remover`].
            pub fn remover(&self, at: &At) -> Option<ObjectId> {
                match self { $(Object::$kind(it) => it.remover(at),)* }
            }

            /// See [`Definition::precedes`].
            pub fn precedes(&self, at: &At) -> Vec<ObjectId> {
                match self { $(Object::$kind(it) => it.precedes(at),)* }
            }

            /// See [`Definition::is_sound`].
            pub fn is_sound(&self) -> bool {
                match self { $(Object::$kind(it) => it.is_sound(),)* }
            }

            /// See [`Definition::incidental`].
            pub fn incidental(&self) -> bool {
                match self { $(Object::$kind(it) => it.incidental(),)* }
            }

            /// See [`Definition::follow`].
            pub fn follow(&self, replaced: &ObjectId, at: &At) -> Option<Alteration> {
                match self { $(Object::$kind(it) => it.follow(replaced, at),)* }
            }

            /// See [`Definition::detour`].
            pub fn detour(&self, at: &At) -> Option<Detour> {
                match self { $(Object::$kind(it) => it.detour(at),)* }
            }

            /// See [`Definition::rebuilds`]; `from` of another kind does not occur.
            pub fn rebuilds(&self, from: Option<&Object>, at: &At) -> Option<ObjectId> {
                match self {
                    $(Object::$kind(it) => {
                        let from = match from { Some(Object::$kind(from)) => Some(&**from), _ => None };
                        it.rebuilds(from, at)
                    })*
                }
            }

            /// See [`Definition::rewrites`].
            pub fn rewrites(&self, manner: Manner, at: &At) -> bool {
                match self { $(Object::$kind(it) => it.rewrites(manner, at),)* }
            }

            /// See [`Definition::held_by`].
            pub fn held_by(&self, at: &At, side: &Catalog) -> Vec<ObjectId> {
                match self { $(Object::$kind(it) => it.held_by(at, side),)* }
            }

            /// See [`Definition::gather`].
            pub fn gather(&self, at: &At) -> Option<Gathering> {
                match self { $(Object::$kind(it) => it.gather(at),)* }
            }

            /// See [`Definition::transfer`].
            pub fn transfer(&self, at: &At) -> Option<Transfer> {
                match self { $(Object::$kind(it) => it.transfer(at),)* }
            }

            /// See [`Definition::aside`].
            pub fn aside(&self, at: &At) -> Vec<Step> {
                match self { $(Object::$kind(it) => it.aside(at),)* }
            }

            /// See [`Definition::finish`].
            pub fn finish(&self, at: &At) -> Vec<Step> {
                match self { $(Object::$kind(it) => it.finish(at),)* }
            }

            /// See [`Definition::role`].
            pub fn role<'a>(&'a self, id: &'a ObjectId) -> Option<&'a str> {
                match self { $(Object::$kind(it) => it.role(id),)* }
            }

            /// See [`Definition::roles`].
            pub fn roles<'a>(&'a self, id: &'a ObjectId) -> Vec<(&'a str, Tie)> {
                match self { $(Object::$kind(it) => it.roles(id),)* }
            }

            /// See [`Definition::position`].
            pub fn position(&self) -> i16 {
                match self { $(Object::$kind(it) => it.position(),)* }
            }

            /// See [`Definition::visit_options`].
            pub fn visit_options(&mut self, visit: &mut Visit) {
                match self { $(Object::$kind(it) => Arc::make_mut(it).visit_options(visit),)* }
            }

            /// See [`Definition::slots`].
            pub fn slots(&self, id: &ObjectId) -> Vec<Slot> {
                match self { $(Object::$kind(it) => it.slots(id),)* }
            }
        }
    };
}

pub(super) use kinds;
