//! The database itself: its owner, settings, comment and grants.

use super::{Place, becomes};
use crate::server::majors;

const SCHEMA: &str = "
    CREATE TABLE public.t (a int);
    ALTER DATABASE CURRENT_DATABASE SET search_path = 'A b', public;
    ALTER DATABASE CURRENT_DATABASE SET \"app.mode\" TO 'it''s';
    ALTER ROLE ALL IN DATABASE CURRENT_DATABASE SET work_mem = '5MB';
    ALTER DATABASE CURRENT_DATABASE WITH CONNECTION LIMIT 20 IS_TEMPLATE true;
    COMMENT ON DATABASE CURRENT_DATABASE IS 'the shop';
    REVOKE CONNECT, TEMP ON DATABASE CURRENT_DATABASE FROM PUBLIC;
    GRANT CONNECT ON DATABASE CURRENT_DATABASE TO reader WITH GRANT OPTION;
    ALTER DATABASE CURRENT_DATABASE OWNER TO chief;
";

#[test]
fn the_database_becomes_what_the_file_says_and_back() {
    for major in majors() {
        let mut place = Place::new(major);
        place.execute("CREATE ROLE reader; CREATE ROLE chief");
        let (before, name) = (place.state(), place.database.name().to_owned());
        let project = place.project();
        becomes(&project, "CREATE TABLE public.t (a int);");
        assert_eq!(place.state(), before, "on {major}");
        let said = becomes(&project, SCHEMA);
        assert!(said.contains("~ DATABASE  schema.sql:3:5\n"), "{said}");
        assert!(said.contains(&format!("COMMENT ON DATABASE {name} IS 'the shop'")), "{said}");
        project.run(["inspect", "--dir", "out", "--force"]).code(0);
        assert!(project.read("out/database.sql").contains(&format!("COMMENT ON DATABASE {name} IS 'the shop'")));
        project.run(["plan", "--schema", "out"]).code(0).stdout_has("Nothing to do");
        place.execute("CREATE DATABASE by_hand");
        let mut by_hand = place.database.admin_target().with_database("by_hand").connect().unwrap();
        by_hand.batch_execute(&SCHEMA.replace("CURRENT_DATABASE", "by_hand")).unwrap();
        let after = place.state();
        std::mem::swap(&mut place.admin, &mut by_hand);
        assert_eq!(place.state()["database"], after["database"], "on {major}");
        std::mem::swap(&mut place.admin, &mut by_hand);
        drop(by_hand);
        place.execute("ALTER DATABASE by_hand IS_TEMPLATE false");
        place.execute("DROP DATABASE by_hand");
        assert_eq!(place.value("count(*) FROM pg_db_role_setting"), "1");
        assert_eq!(
            place.value("array_agg(c ORDER BY c) FROM pg_db_role_setting, unnest(setconfig) c"),
            "{app.mode=it's,\"search_path=\\\"A b\\\", public\",work_mem=5MB}"
        );
        // What the file no longer says is no longer so, also for PUBLIC and for the reader, who are still named.
        becomes(&project, "CREATE TABLE public.t (a int); GRANT TEMP, CONNECT ON DATABASE CURRENT_DATABASE TO PUBLIC;
            ALTER DATABASE CURRENT_DATABASE OWNER TO CURRENT_ROLE; ALTER DATABASE CURRENT_DATABASE OWNER TO keeper;
            GRANT CONNECT ON DATABASE CURRENT_DATABASE TO reader; REVOKE CONNECT ON DATABASE CURRENT_DATABASE FROM reader;");
        assert_eq!(place.state(), before, "on {major}");
    }
}
