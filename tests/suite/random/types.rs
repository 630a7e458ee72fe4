//! Types: which there are, values for them, and expressions on them.

use reconcile::sql;

use super::model::{Base, Composite, Domain, Enum, Name, Schema, Type};

/// The label that every enum has and that rows use, so that any other label can go without losing rows.
pub const BASE_LABEL: &str = "base";

/// Types that behave alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Number,
    Text,
    Boolean,
    Moment,
    Time,
    Uuid,
    Json,
    Bytes,
    Network,
    Range,
    Other,
    Enum,
    Composite,
    Array,
}

/// A built-in type: its name, its family, and the access methods that index it, the first for ordering.
pub struct Builtin {
    pub name: &'static str,
    pub family: Family,
    pub methods: &'static [&'static str],
}

const fn builtin(name: &'static str, family: Family, methods: &'static [&'static str]) -> Builtin {
    Builtin { name, family, methods }
}

/// The built-in types that columns may have.
pub const BUILTINS: &[Builtin] = &[
    builtin("integer", Family::Number, &["btree", "hash", "brin"]),
    builtin("smallint", Family::Number, &["btree", "hash", "brin"]),
    builtin("bigint", Family::Number, &["btree", "hash", "brin"]),
    builtin("numeric", Family::Number, &["btree", "hash", "brin"]),
    builtin("numeric(10,2)", Family::Number, &["btree", "hash", "brin"]),
    builtin("real", Family::Number, &["btree", "hash", "brin"]),
    builtin("double precision", Family::Number, &["btree", "hash", "brin"]),
    builtin("text", Family::Text, &["btree", "hash", "brin", "spgist"]),
    builtin("character varying(40)", Family::Text, &["btree", "hash", "brin"]),
    builtin("character varying(80)", Family::Text, &["btree", "hash", "brin"]),
    builtin("character(40)", Family::Text, &["btree", "hash", "brin"]),
    builtin("boolean", Family::Boolean, &["btree", "hash"]),
    builtin("date", Family::Moment, &["btree", "hash", "brin"]),
    builtin("timestamp without time zone", Family::Moment, &["btree", "hash", "brin"]),
    builtin("timestamp with time zone", Family::Moment, &["btree", "hash", "brin"]),
    builtin("timestamp(0) with time zone", Family::Moment, &["btree", "hash", "brin"]),
    builtin("time without time zone", Family::Time, &["btree", "hash", "brin"]),
    builtin("interval", Family::Time, &["btree", "hash", "brin"]),
    builtin("uuid", Family::Uuid, &["btree", "hash", "brin"]),
    builtin("json", Family::Json, &[]),
    builtin("jsonb", Family::Json, &["btree", "hash", "gin"]),
    builtin("bytea", Family::Bytes, &["btree", "hash", "brin"]),
    builtin("inet", Family::Network, &["btree", "hash", "brin", "spgist"]),
    builtin("cidr", Family::Network, &["btree", "hash", "brin", "spgist"]),
    builtin("int4range", Family::Range, &["btree", "hash", "gist", "spgist", "brin"]),
    builtin("daterange", Family::Range, &["btree", "hash", "gist", "spgist", "brin"]),
    builtin("tstzrange", Family::Range, &["btree", "hash", "gist", "spgist", "brin"]),
    builtin("point", Family::Other, &["gist", "spgist"]),
    builtin("tsvector", Family::Other, &["btree", "gin", "gist"]),
    builtin("bit(8)", Family::Other, &["btree"]),
];

/// The facts about a built-in type.
pub fn facts(name: &str) -> &'static Builtin {
    BUILTINS.iter().find(|builtin| builtin.name == name).unwrap_or(&BUILTINS[0])
}

fn builtin_value(name: &str, k: usize) -> String {
    let text = match facts(name).family {
        Family::Number => return k.to_string(),
        Family::Boolean => return (k.is_multiple_of(2)).to_string(),
        Family::Text => format!("v{k}"),
        Family::Moment if name == "date" => format!("2025-01-1{k}"),
        Family::Moment => format!("2025-01-1{k} 10:00:00+00"),
        Family::Time => format!("0{k}:00:00"),
        Family::Uuid => format!("00000000-0000-4000-8000-00000000000{k}"),
        Family::Json => format!("{{\"k\": {k}}}"),
        Family::Bytes => format!("\\x0{k}"),
        Family::Network => format!("10.0.0.{k}/32"),
        Family::Range if name == "int4range" => format!("[{k}0,{k}5)"),
        Family::Range => format!("[2025-01-1{k},2025-01-1{})", k + 1),
        _ if name == "point" => format!("({k},{k})"),
        _ if name == "bit(8)" => format!("{k:08b}"),
        _ => format!("word{k}"),
    };
    sql::literal(&text)
}

impl Schema {
    fn enum_of(&self, name: &Name) -> Option<&Enum> {
        self.enums.iter().find(|item| item.name == *name)
    }

    /// The domain of this name.
    pub fn domain_of(&self, name: &Name) -> Option<&Domain> {
        self.domains.iter().find(|item| item.name == *name)
    }

    /// The composite type of this name.
    pub fn composite_of(&self, name: &Name) -> Option<&Composite> {
        self.composites.iter().find(|item| item.name == *name)
    }

    /// Whether the type exists.
    pub fn knows(&self, ty: &Type) -> bool {
        match &ty.base {
            Base::Builtin(_) => true,
            Base::Named(name) => {
                self.enum_of(name).is_some() || self.domain_of(name).is_some() || self.composite_of(name).is_some()
            }
        }
    }

    /// The type without the domain around it.
    pub fn bare(&self, ty: &Type) -> Type {
        match &ty.base {
            Base::Named(name) if !ty.array => match self.domain_of(name) {
                Some(domain) => Type { base: domain.base.clone(), array: false },
                None => ty.clone(),
            },
            _ => ty.clone(),
        }
    }

    /// What family the type belongs to.
    pub fn family(&self, ty: &Type) -> Family {
        let bare = self.bare(ty);
        match &bare.base {
            _ if bare.array => Family::Array,
            Base::Builtin(name) => facts(name).family,
            Base::Named(name) if self.enum_of(name).is_some() => Family::Enum,
            Base::Named(_) => Family::Composite,
        }
    }

    /// The access methods that can index the type.
    pub fn methods(&self, ty: &Type) -> &'static [&'static str] {
        let bare = self.bare(ty);
        match (&bare.base, self.family(ty)) {
            (_, Family::Array) => {
                let element = Type { base: bare.base.clone(), array: false };
                if self.sortable(&element) { &["btree", "gin"] } else { &[] }
            }
            (_, Family::Enum) => &["btree", "hash"],
            (Base::Builtin(name), _) => facts(name).methods,
            (Base::Named(_), _) => &[],
        }
    }

    /// Whether values can be sorted, grouped and told apart.
    pub fn sortable(&self, ty: &Type) -> bool {
        self.methods(ty).first() == Some(&"btree")
    }

    /// Whether every row gets another value.
    pub fn distinct(&self, ty: &Type) -> bool {
        self.sortable(ty) && !matches!(self.family(ty), Family::Boolean | Family::Enum | Family::Array)
    }

    /// Whether a foreign key may be made of it.
    pub fn referable(&self, ty: &Type) -> bool {
        matches!(self.family(ty), Family::Number | Family::Text | Family::Uuid) && !ty.array
    }

    /// Value number `k` (below 9) of a type, with its type written out; the same `k` gives the same value.
    pub fn value(&self, ty: &Type, k: usize) -> String {
        if ty.array {
            let element = Type { base: ty.base.clone(), array: false };
            return format!("ARRAY[{}]::{}", self.value(&element, k), self.spell(ty));
        }
        let plain = match &ty.base {
            Base::Builtin(name) => builtin_value(name, k),
            Base::Named(name) => match (self.domain_of(name), self.composite_of(name)) {
                (Some(domain), _) => self.value(&Type { base: domain.base.clone(), array: false }, k),
                (_, Some(composite)) => {
                    let fields = composite.fields.iter().map(|(_, field)| self.value(field, k));
                    format!("ROW({})", sql::join(fields.collect::<Vec<_>>(), ", "))
                }
                _ => sql::literal(BASE_LABEL),
            },
        };
        format!("{plain}::{}", self.spell(ty))
    }

    /// A value to fall back on, which an enum takes from all its labels.
    pub fn default_value(&self, ty: &Type, form: u8) -> String {
        if ty.array {
            return self.value(ty, usize::from(form));
        }
        match (&self.bare(ty).base, self.family(ty)) {
            (Base::Named(name), Family::Enum) => {
                let labels = self.enum_of(name).map_or(&[][..], |item| &item.labels);
                let label = labels.get(usize::from(form) % labels.len().max(1)).map_or(BASE_LABEL, String::as_str);
                format!("{}::{}", sql::literal(label), self.spell(ty))
            }
            (Base::Builtin("timestamp with time zone"), _) if form.is_multiple_of(2) => "now()".to_owned(),
            (Base::Builtin("uuid"), _) if form.is_multiple_of(2) => "gen_random_uuid()".to_owned(),
            (Base::Builtin("date"), _) if form.is_multiple_of(2) => "CURRENT_DATE".to_owned(),
            _ => self.value(ty, usize::from(form)),
        }
    }

    /// The type as DDL names it.
    pub fn spell(&self, ty: &Type) -> String {
        let base = match &ty.base {
            Base::Builtin(name) => (*name).to_owned(),
            Base::Named(name) => name.to_string(),
        };
        if ty.array { format!("{base}[]") } else { base }
    }

    /// A condition on an expression of a type, true or null for every value that [`Schema::value`] makes.
    pub fn holds(&self, expression: &str, ty: &Type, form: u8) -> String {
        let bare = self.bare(ty);
        let x = expression;
        match self.family(ty) {
            Family::Number => match form % 4 {
                0 => format!("{x} >= 0"),
                1 => format!("{x} BETWEEN 0 AND 1000000"),
                2 => format!("{x} + 1 > 0"),
                _ => format!("{x} NOT IN (-1, -2)"),
            },
            Family::Text => match form % 4 {
                0 => format!("length({x}) < 100"),
                1 => format!("{x} NOT IN ('x', 'y')"),
                2 => format!("{x} !~ 'zz'"),
                _ => format!("lower({x}) <> 'it''s'"),
            },
            Family::Boolean => format!("({x} OR NOT {x})"),
            Family::Moment => format!("{x} > '200{form}-01-01'"),
            Family::Time => format!("{x} >= '00:00'"),
            Family::Uuid => format!("{x} <> '00000000-0000-0000-0000-00000000000{form}'"),
            Family::Bytes => format!("length({x}) < 10{form}"),
            Family::Network => format!("family({x}) IN (4, 6)"),
            Family::Range => format!("NOT isempty({x})"),
            Family::Array => format!("cardinality({x}) < 10{form}"),
            Family::Enum => match &bare.base {
                Base::Named(name) => {
                    let first = self.enum_of(name).and_then(|item| item.labels.first());
                    // Enums compare with themselves only, not with domains over them.
                    format!("{x}::{name} >= {}::{name}", sql::literal(first.map_or(BASE_LABEL, String::as_str)))
                }
                Base::Builtin(_) => format!("num_nulls({x}) < 2"),
            },
            Family::Composite => match self.first_field(&bare) {
                Some((field, _)) => format!("num_nulls(({x}).{}) < 2", sql::ident(&field)),
                None => format!("num_nulls({x}) < 2"),
            },
            Family::Json | Family::Other => format!("num_nulls({x}) < {}", form + 2),
        }
    }

    /// An immutable expression on a value of a type, and the type of what it gives.
    pub fn derive(&self, expression: &str, ty: &Type, form: u8) -> (String, Type) {
        let bare = self.bare(ty);
        let x = expression;
        match self.family(ty) {
            Family::Number if form.is_multiple_of(2) => {
                (format!("({x} * {})::numeric", form + 1), Type::builtin("numeric"))
            }
            Family::Number => (format!("({x})::double precision"), Type::builtin("double precision")),
            Family::Text if form.is_multiple_of(2) => (format!("upper({x})"), Type::builtin("text")),
            Family::Text | Family::Bytes => (format!("length({x})"), Type::builtin("integer")),
            Family::Moment => (format!("({x} > '202{form}-01-01')"), Type::builtin("boolean")),
            Family::Uuid => (format!("({x})::text"), Type::builtin("text")),
            Family::Network => (format!("host({x})"), Type::builtin("text")),
            Family::Range => (format!("isempty({x})"), Type::builtin("boolean")),
            Family::Array => (format!("cardinality({x})"), Type::builtin("integer")),
            Family::Boolean => (format!("(NOT {x})"), Type::builtin("boolean")),
            Family::Enum => {
                (format!("({x}::{} = {})", self.spell(&bare), self.value(&bare, 0)), Type::builtin("boolean"))
            }
            Family::Composite => match self.first_field(&bare) {
                Some((field, ty)) => (format!("({x}).{}", sql::ident(&field)), ty),
                None => (format!("({x} IS NULL)"), Type::builtin("boolean")),
            },
            Family::Time | Family::Json | Family::Other => (format!("({x} IS NULL)"), Type::builtin("boolean")),
        }
    }

    fn first_field(&self, ty: &Type) -> Option<(String, Type)> {
        match &ty.base {
            Base::Named(name) => self.composite_of(name)?.fields.first().cloned(),
            Base::Builtin(_) => None,
        }
    }

    /// Whether the values that rows have can be cast from a type of `before` to a type of this schema.
    pub fn casts(&self, before: &Schema, from: &Type, to: &Type) -> bool {
        let (a, b) = (before.bare(from), self.bare(to));
        if a == b {
            let element = Type { array: false, ..a };
            return before.family(&element) != Family::Composite || self.steady(before, &element);
        }
        match (before.family(&a), self.family(&b)) {
            (Family::Number | Family::Boolean | Family::Uuid | Family::Enum, Family::Text)
            | (Family::Number, Family::Number)
            | (Family::Text, Family::Text)
            | (Family::Moment, Family::Moment)
            | (Family::Json, Family::Json)
            | (Family::Network, Family::Network) => true,
            (Family::Array, Family::Array) => {
                let (a, b) = (Type { array: false, ..a }, Type { array: false, ..b });
                matches!(before.family(&a), Family::Number | Family::Text) && self.casts(before, &a, &b)
            }
            _ => false,
        }
    }

    /// Whether a type inside a composite type has only grown: PostgreSQL changes no more while a column uses it.
    fn steady(&self, before: &Schema, ty: &Type) -> bool {
        let Base::Named(name) = &ty.base else { return true };
        if let (Some(old), Some(new)) = (before.enum_of(name), self.enum_of(name)) {
            let mut labels = new.labels.iter();
            return old.labels.iter().all(|label| labels.any(|other| other == label));
        }
        if let (Some(old), Some(new)) = (before.domain_of(name), self.domain_of(name)) {
            return old.base == new.base && self.steady(before, &Type { base: old.base.clone(), array: false });
        }
        let (Some(old), Some(new)) = (before.composite_of(name), self.composite_of(name)) else { return false };
        let kept = |field: &String, ty: &Type| {
            old.fields.iter().all(|(name, was)| name != field || was == ty && self.steady(before, was))
        };
        new.fields.iter().all(|(field, ty)| kept(field, ty))
    }
}
