//! The object kinds: one file per family, one list of all.

mod access_method;
mod aggregate;
mod base_type;
mod cast;
mod cluster;
mod collation;
mod column;
mod column_above;
mod column_around;
mod column_settings;
mod comment;
mod composite;
mod conninfo;
mod constraint;
mod conversion;
mod database;
mod default;
mod default_privilege;
mod dependence;
mod dispatch;
mod domain;
mod encoding;
mod enumeration;
mod event_trigger;
mod extension;
mod foreign;
mod foreign_key;
mod foreign_options;
mod foreign_table;
mod generated;
mod grant;
mod granted;
mod identity;
mod index;
mod inheritance;
mod key_index;
mod language;
mod lineage;
mod not_null;
mod operator;
mod operator_class;
mod options;
mod owned_by;
mod owner;
mod partition;
mod partition_index;
mod policy;
mod publication;
mod range;
mod replica_identity;
mod rights;
mod role;
mod routine;
mod row_security;
mod row_type;
mod rule;
mod schema;
mod security_label;
mod sequence;
mod settings;
mod stand_in;
mod statistics;
mod subscription;
mod swap;
mod table;
mod text_form;
mod text_search;
mod transfer;
mod trigger;
mod typed_table;
mod unmodelled;
mod view;
mod view_column;

pub use unmodelled::UNMODELLED;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::{Alteration, At, Concern, Definition, Detour, Manner, Shape, Slot, Transfer};
use super::{Catalog, ObjectId, Step, Tie, Visit};

pub use database::database;
pub use role::{member, role};
pub use schema::new_database;

dispatch::kinds! {
    Role(role::Role) "role",
    Membership(role::Membership) "membership",
    Database(database::Database) "database",
    Schema(schema::Schema) "schema",
    Extension(extension::Extension) "extension",
    ExtensionVersion(extension::ExtensionVersion) "extension_version",
    Collation(collation::Collation) "collation",
    Enum(enumeration::Enum) "enum",
    Domain(domain::Domain) "domain",
    Composite(composite::Composite) "composite",
    Attribute(composite::Attribute) "attribute",
    Range(range::Range) "range",
    ShellType(base_type::ShellType) "shell_type",
    BaseType(base_type::BaseType) "base_type",
    DomainConstraint(domain::DomainConstraint) "domain_constraint",
    Wrapper(foreign::Wrapper) "foreign_data_wrapper",
    ForeignServer(foreign::ForeignServer) "server",
    UserMapping(foreign::UserMapping) "user_mapping",
    Sequence(sequence::Sequence) "sequence",
    Table(table::Table) "table",
    ForeignTable(foreign_table::ForeignTable) "foreign_table",
    Column(column::Column) "column",
    ColumnOptions(foreign_table::ColumnOptions) "column_options",
    Language(language::Language) "language",
    AccessMethod(access_method::AccessMethod) "access_method",
    Function(routine::Function) "function",
    Procedure(routine::Procedure) "procedure",
    Aggregate(aggregate::Aggregate) "aggregate",
    Operator(operator::Operator) "operator",
    OperatorFamily(operator_class::OperatorFamily) "operator_family",
    OperatorClass(operator_class::OperatorClass) "operator_class",
    Cast(cast::Cast) "cast",
    Transform(language::Transform) "transform",
    Conversion(encoding::Conversion) "conversion",
    TextSearchParser(text_search::TextSearchParser) "text_search_parser",
    TextSearchTemplate(text_search::TextSearchTemplate) "text_search_template",
    TextSearchDictionary(text_search::TextSearchDictionary) "text_search_dictionary",
    TextSearchConfiguration(text_search::TextSearchConfiguration) "text_search_configuration",
    Default(default::Default) "default",
    Identity(identity::Identity) "identity",
    OwnedBy(owned_by::OwnedBy) "owned_by",
    Constraint(constraint::Constraint) "constraint",
    View(view::View) "view",
    ViewColumn(view_column::ViewColumn) "view_column",
    MaterializedView(view::MaterializedView) "materialized_view",
    Index(index::Index) "index",
    Statistics(statistics::Statistics) "statistics",
    TypedTable(typed_table::TypedTable) "typed_table",
    Inheritance(inheritance::Inheritance) "inheritance",
    Partition(partition::Partition) "partition",
    ForeignKey(foreign_key::ForeignKey) "foreign_key",
    ColumnSettings(column_settings::ColumnSettings) "column_settings",
    ClusterOn(cluster::ClusterOn) "cluster",
    ReplicaIdentity(replica_identity::ReplicaIdentity) "replica_identity",
    NotNull(not_null::NotNull) "not_null",
    ForcedRowSecurity(row_security::ForcedRowSecurity) "forced_row_security",
    Rule(rule::Rule) "rule",
    Trigger(trigger::Trigger) "trigger",
    PartitionTrigger(trigger::PartitionTrigger) "partition_trigger",
    Policy(policy::Policy) "policy",
    Publication(publication::Publication) "publication",
    PublicationTable(publication::PublicationTable) "publication_table",
    PublicationSchema(publication::PublicationSchema) "publication_schema",
    Subscription(subscription::Subscription) "subscription",
    EventTrigger(event_trigger::EventTrigger) "event_trigger",
    Dependence(dependence::Dependence) "dependence",
    Owner(owner::Owner) "owner",
    Grant(grant::Grant) "grant",
    SequenceGrant(grant::SequenceGrant) "sequence_grant",
    MemberGrant(grant::MemberGrant) "member_grant",
    Comment(comment::Comment) "comment",
    InnerComment(comment::InnerComment) "inner_comment",
    SecurityLabel(security_label::SecurityLabel) "security_label",
    DefaultPrivilege(default_privilege::DefaultPrivilege) "default_privilege",
    SchemaDefaultPrivilege(default_privilege::SchemaDefaultPrivilege) "schema_default_privilege",
}
