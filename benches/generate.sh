#!/bin/sh
# Prints a schema of TABLES tables, each of 15 columns with 5 indexes and a foreign key, and a view on every fifth.
# With CHANGES, that many objects, spread evenly over the tables, differ from what is printed without.
#
#     benches/generate.sh [TABLES] [CHANGES]

exec awk -v tables="${1:-1000}" -v changes="${2:-0}" '
function change(i) {
    # The kind of change that table i carries: none, or 1 to 5 in turn.
    if (changes == 0 || i % step != 0 || i / step > changes) return 0
    return (i / step - 1) % 5 + 1
}

function table(i, kind) {
    print "CREATE TABLE " name " ("
    print "    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    print "    code text NOT NULL,"
    print "    title varchar(" (kind == 1 ? 200 : 100) ") DEFAULT \047\047 NOT NULL,"
    print "    amount numeric(12, 2) DEFAULT 0 NOT NULL CHECK (amount >= 0),"
    print "    quantity integer DEFAULT " (kind == 2 ? 2 : 1) ","
    print "    active boolean DEFAULT true NOT NULL,"
    print "    state bench.state DEFAULT \047open\047 NOT NULL,"
    print "    day date,"
    print "    created_at timestamptz DEFAULT now() NOT NULL,"
    print "    ref uuid DEFAULT gen_random_uuid(),"
    print "    ratio double precision CHECK (ratio BETWEEN 0 AND 1),"
    print "    tags text[] DEFAULT \047{}\047 NOT NULL,"
    print "    data jsonb,"
    print "    note text,"
    if (kind == 3) print "    remark text,"
    print "    parent_id bigint"
    print ");"
    print "COMMENT ON TABLE " name " IS \047Table " i " of " tables "\047;"
}

function indexes(kind) {
    print "CREATE UNIQUE INDEX t" i "_code ON " name " (code);"
    print "CREATE INDEX t" i "_parent_id ON " name " (parent_id);"
    print "CREATE INDEX t" i "_title ON " name " (lower(title));"
    print "CREATE INDEX t" i "_open ON " name " (day" (kind == 4 ? " DESC" : "") ", amount) WHERE state = \047open\047;"
    print "CREATE INDEX t" i "_tags ON " name " USING gin (tags);"
}

BEGIN {
    if (changes > 0) step = int(tables / changes)
    if (changes > 0 && step == 0) {
        print "more changes than tables" > "/dev/stderr"
        exit 1
    }
    print "CREATE SCHEMA bench;"
    print "CREATE TYPE bench.state AS ENUM (\047open\047, \047closed\047, \047archived\047);"
    for (i = 1; i <= tables; i++) {
        name = "bench.t" i
        kind = change(i)
        print ""
        table(i, kind)
        indexes(kind)
        if (i > 1) {
            print "ALTER TABLE " name " ADD CONSTRAINT t" i "_parent FOREIGN KEY (parent_id) REFERENCES bench.t" \
                int(i / 2) (kind == 5 ? " ON DELETE CASCADE;" : ";")
        }
        if (i % 5 == 0) {
            print "CREATE VIEW bench.v" i " AS"
            print "SELECT c.id, c.code, c.amount, p.amount AS parent_amount"
            print "FROM " name " c LEFT JOIN bench.t" int(i / 2) " p ON p.id = c.parent_id WHERE c.active;"
        }
    }
}'
