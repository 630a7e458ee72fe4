-- A platform on which organisations plan their work, sell and rent out what they own, and pay for the service.
-- In this order: shared types, people, work, catalogue, stock, orders, bookings, billing, audit, access.

CREATE EXTENSION btree_gist;
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm;

CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'Organisations, their people and their work';

CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'What organisations sell, stock, ship and rent out';

CREATE SCHEMA billing;
COMMENT ON SCHEMA billing IS 'What is owed and paid, by customers and by organisations';


--
-- Shared types
--

CREATE DOMAIN app.email AS citext
    CONSTRAINT email_has_one_at CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');
COMMENT ON DOMAIN app.email IS 'An e-mail address, compared without regard to case';

CREATE DOMAIN app.slug AS text COLLATE "C"
    CONSTRAINT slug_is_url_safe CHECK (VALUE ~ '^[a-z0-9]+(-[a-z0-9]+)*$')
    CONSTRAINT slug_is_short CHECK (length(VALUE) <= 60);
COMMENT ON DOMAIN app.slug IS 'The part of an URL that names a thing: acme-tools';
COMMENT ON CONSTRAINT slug_is_short ON DOMAIN app.slug IS 'Leaves room for a prefix in a label of a host name';

CREATE DOMAIN app.amount AS numeric(12, 2)
    CONSTRAINT amount_is_not_negative CHECK (VALUE >= 0);
COMMENT ON DOMAIN app.amount IS 'An amount of money; its currency stands beside it';

CREATE DOMAIN app.currency AS char(3) DEFAULT 'EUR'
    CONSTRAINT currency_is_iso_4217 CHECK (VALUE ~ '^[A-Z]{3}$');
COMMENT ON DOMAIN app.currency IS 'A currency code of ISO 4217';

CREATE DOMAIN app.percentage AS numeric(5, 2) DEFAULT 0
    CONSTRAINT percentage_is_in_range CHECK (VALUE BETWEEN 0 AND 100);

CREATE TYPE app.address AS (
    street text,
    city text,
    postcode text,
    country char(2),
    instructions text
);
COMMENT ON TYPE app.address IS 'A postal address';
COMMENT ON COLUMN app.address.country IS 'ISO 3166-1 alpha-2';
COMMENT ON COLUMN app.address.instructions IS 'For whoever delivers: which door, which bell';

CREATE FUNCTION app.format_address(address app.address) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
SELECT concat_ws(', ', address.street, concat_ws(' ', address.postcode, address.city), address.country)
$$;
COMMENT ON FUNCTION app.format_address(app.address) IS 'The address on one line';

CREATE FUNCTION app.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION app.set_updated_at() IS 'Keeps updated_at true, for a BEFORE UPDATE trigger';

CREATE FUNCTION app.current_organisation() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
SELECT nullif(current_setting('app.organisation_id', true), '')::bigint
$$;
COMMENT ON FUNCTION app.current_organisation() IS 'The organisation that this session works for';

CREATE FUNCTION app.current_user_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
SELECT nullif(current_setting('app.user_id', true), '')::uuid
$$;
COMMENT ON FUNCTION app.current_user_id() IS 'The person that this session works for';


--
-- People
--

CREATE TYPE app.member_role AS ENUM ('owner', 'admin', 'editor', 'viewer');
COMMENT ON TYPE app.member_role IS 'What a member may do, the most powerful role first';

CREATE TABLE app.users (
    id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    email app.email NOT NULL UNIQUE,
    name text NOT NULL CONSTRAINT users_name_is_not_blank CHECK (btrim(name) <> ''),
    locale text DEFAULT 'en' NOT NULL CONSTRAINT users_locale_is_known CHECK (locale IN ('de', 'en', 'es', 'fr')),
    disabled_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL
);
COMMENT ON TABLE app.users IS 'People who can sign in, members of any number of organisations';
COMMENT ON COLUMN app.users.disabled_at IS 'Since when this person can no longer sign in';

CREATE INDEX users_name_trgm ON app.users USING gin (name gin_trgm_ops);
COMMENT ON INDEX app.users_name_trgm IS 'Finds people by any part of their name';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.users
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION app.set_updated_at();

CREATE TABLE app.organisations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug app.slug NOT NULL UNIQUE,
    name text NOT NULL,
    owner_id uuid,
    address app.address,
    settings jsonb DEFAULT '{}' NOT NULL
        CONSTRAINT organisations_settings_is_object CHECK (jsonb_typeof(settings) = 'object'),
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL
);
COMMENT ON TABLE app.organisations IS 'The tenants: every other row belongs to one of them';
COMMENT ON COLUMN app.organisations.owner_id IS 'Who answers for the organisation; always one of its members';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON app.organisations
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION app.set_updated_at();

CREATE TABLE app.members (
    organisation_id bigint REFERENCES app.organisations ON DELETE CASCADE,
    user_id uuid REFERENCES app.users ON DELETE CASCADE,
    role app.member_role DEFAULT 'viewer' NOT NULL,
    joined_at timestamptz DEFAULT now() NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
);
COMMENT ON TABLE app.members IS 'Who belongs to which organisation, and as what';

CREATE INDEX members_user_id ON app.members (user_id);
CREATE UNIQUE INDEX members_one_owner ON app.members (organisation_id) WHERE role = 'owner';
COMMENT ON INDEX app.members_one_owner IS 'An organisation has one owner at most';

-- Organisations and members refer to each other, so a new organisation and its owner arrive in one transaction.
ALTER TABLE app.organisations
    ADD CONSTRAINT organisations_owner_is_member FOREIGN KEY (id, owner_id)
        REFERENCES app.members (organisation_id, user_id) DEFERRABLE INITIALLY DEFERRED;
COMMENT ON CONSTRAINT organisations_owner_is_member ON app.organisations IS 'Checked at commit';

CREATE TABLE app.invitations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    email app.email NOT NULL,
    role app.member_role DEFAULT 'viewer' NOT NULL
        CONSTRAINT invitations_never_to_owner CHECK (role <> 'owner'),
    token uuid DEFAULT gen_random_uuid() NOT NULL UNIQUE,
    invited_by uuid NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz DEFAULT now() + interval '14 days' NOT NULL,
    accepted_at timestamptz,
    FOREIGN KEY (organisation_id, invited_by) REFERENCES app.members ON DELETE CASCADE,
    CONSTRAINT invitations_expire_later CHECK (expires_at > created_at)
);
COMMENT ON TABLE app.invitations IS 'Addresses that were asked to join an organisation';

CREATE UNIQUE INDEX invitations_pending ON app.invitations (organisation_id, email) WHERE accepted_at IS NULL;

CREATE TABLE app.teams (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    name citext NOT NULL,
    UNIQUE (organisation_id, name),
    UNIQUE (organisation_id, id)
);
COMMENT ON TABLE app.teams IS 'Members who work together';

CREATE TABLE app.team_members (
    organisation_id bigint NOT NULL,
    team_id bigint,
    user_id uuid,
    PRIMARY KEY (team_id, user_id),
    FOREIGN KEY (organisation_id, team_id) REFERENCES app.teams (organisation_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organisation_id, user_id) REFERENCES app.members ON DELETE CASCADE
);
COMMENT ON TABLE app.team_members IS 'Who is in which team; both belong to the same organisation';

CREATE UNLOGGED TABLE app.sessions (
    id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES app.users ON DELETE CASCADE,
    address inet,
    user_agent text,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE app.sessions IS 'Who is signed in; not worth a write-ahead log';

CREATE INDEX sessions_expires_at ON app.sessions (expires_at);
CREATE INDEX sessions_address ON app.sessions USING spgist (address);

CREATE TABLE app.api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    name text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE CONSTRAINT api_keys_secret_is_sha256 CHECK (length(secret_hash) = 32),
    scopes text[] DEFAULT '{read}' NOT NULL
        CONSTRAINT api_keys_scopes_are_known CHECK (scopes <@ ARRAY['read', 'write', 'admin']),
    created_at timestamptz DEFAULT now() NOT NULL,
    revoked_at timestamptz
);
COMMENT ON TABLE app.api_keys IS 'Keys with which programs sign in';
COMMENT ON COLUMN app.api_keys.secret_hash IS 'SHA-256 of the key; the key itself is shown once and never stored';

CREATE VIEW app.active_members WITH (security_barrier) AS
SELECT m.organisation_id, m.user_id, m.role, u.name, u.email, u.locale, m.joined_at
FROM app.members m
JOIN app.users u ON u.id = m.user_id
WHERE u.disabled_at IS NULL;
COMMENT ON VIEW app.active_members IS 'Members who can sign in';
COMMENT ON COLUMN app.active_members.joined_at IS 'When this person became a member';

CREATE VIEW app.team_overview AS
SELECT
    t.organisation_id,
    t.id AS team_id,
    t.name,
    count(a.user_id) AS members,
    array_agg(a.name ORDER BY a.name) AS names
FROM app.teams t
LEFT JOIN app.team_members tm ON tm.team_id = t.id
LEFT JOIN app.active_members a ON a.organisation_id = tm.organisation_id AND a.user_id = tm.user_id
GROUP BY t.id;
COMMENT ON VIEW app.team_overview IS 'Teams and who is in them';

CREATE FUNCTION app.has_role(minimum app.member_role) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = app, pg_temp
    AS $$
SELECT EXISTS (
    SELECT FROM members
    WHERE organisation_id = current_organisation() AND user_id = current_user_id() AND role <= minimum
)
$$;
COMMENT ON FUNCTION app.has_role(app.member_role) IS 'Whether the current person has this role, or a more powerful one';


--
-- Work
--

CREATE TYPE app.project_state AS ENUM ('planned', 'active', 'paused', 'done');
CREATE TYPE app.task_state AS ENUM ('open', 'started', 'blocked', 'review', 'done');
COMMENT ON TYPE app.task_state IS 'From left to right on the board';

CREATE TABLE app.projects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    team_id bigint REFERENCES app.teams ON DELETE SET NULL,
    key text COLLATE "C" NOT NULL CONSTRAINT projects_key_is_short CHECK (key ~ '^[A-Z]{2,6}$'),
    name text NOT NULL,
    state app.project_state DEFAULT 'planned' NOT NULL,
    starts_on date DEFAULT CURRENT_DATE NOT NULL,
    ends_on date,
    period daterange GENERATED ALWAYS AS (daterange(starts_on, ends_on, '[]')) STORED,
    budget app.amount,
    last_task integer DEFAULT 0 NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    UNIQUE (organisation_id, key),
    CONSTRAINT projects_end_after_start CHECK (ends_on >= starts_on)
);
COMMENT ON TABLE app.projects IS 'Work with a beginning and an end';
COMMENT ON COLUMN app.projects.key IS 'Stands before the number of a task: WEB-42';
COMMENT ON COLUMN app.projects.last_task IS 'The highest task number given out so far';

CREATE INDEX projects_period ON app.projects USING gist (organisation_id, period);
CREATE INDEX projects_team_id ON app.projects (team_id) WHERE team_id IS NOT NULL;

CREATE TRIGGER set_updated_at BEFORE UPDATE OF team_id, name, state, starts_on, ends_on, budget ON app.projects
    FOR EACH ROW EXECUTE FUNCTION app.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON app.projects IS 'A new task does not count as a change of the project';

CREATE TABLE app.tasks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL REFERENCES app.projects ON DELETE CASCADE,
    number integer NOT NULL,
    parent_id bigint REFERENCES app.tasks ON DELETE CASCADE,
    title text NOT NULL,
    body text DEFAULT '' NOT NULL,
    state app.task_state DEFAULT 'open' NOT NULL,
    priority smallint DEFAULT 3 NOT NULL CONSTRAINT tasks_priority_is_in_range CHECK (priority BETWEEN 1 AND 5),
    assignee_id uuid REFERENCES app.users ON DELETE SET NULL,
    watchers uuid[] DEFAULT '{}' NOT NULL,
    estimate interval,
    due_on date,
    closed_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    search tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', body), 'B')
    ) STORED,
    UNIQUE (project_id, number),
    CONSTRAINT tasks_closed_when_done CHECK ((state = 'done') = (closed_at IS NOT NULL)),
    CONSTRAINT tasks_parent_is_other CHECK (parent_id <> id)
);
COMMENT ON TABLE app.tasks IS 'One thing to do';
COMMENT ON COLUMN app.tasks.number IS 'Counts within the project';
COMMENT ON COLUMN app.tasks.priority IS '1 is the most urgent';
COMMENT ON CONSTRAINT tasks_closed_when_done ON app.tasks IS 'The state and the time never disagree';

CREATE INDEX tasks_search ON app.tasks USING gin (search);
CREATE INDEX tasks_title_trgm ON app.tasks USING gin (title gin_trgm_ops);
CREATE INDEX tasks_watchers ON app.tasks USING gin (watchers);
CREATE INDEX tasks_to_do ON app.tasks (assignee_id, priority, due_on DESC NULLS LAST) INCLUDE (title)
    WHERE state <> 'done';
COMMENT ON INDEX app.tasks_to_do IS 'Answers the start page without a look at the table';

CREATE FUNCTION app.number_task() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE app.projects SET last_task = last_task + 1 WHERE id = NEW.project_id RETURNING last_task INTO NEW.number;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION app.number_task() IS 'Gives a new task the next number of its project';

CREATE TRIGGER number_task BEFORE INSERT ON app.tasks
    FOR EACH ROW WHEN (NEW.number IS NULL) EXECUTE FUNCTION app.number_task();

CREATE FUNCTION app.close_task() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.closed_at := CASE WHEN NEW.state = 'done' THEN now() END;
    RETURN NEW;
END
$$;

CREATE TRIGGER close_task BEFORE UPDATE OF state ON app.tasks
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION app.close_task();
COMMENT ON TRIGGER close_task ON app.tasks IS 'Notes when a task was done, and forgets it when it is opened again';

CREATE TABLE app.labels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    name citext NOT NULL,
    colour text DEFAULT '#808080' NOT NULL CONSTRAINT labels_colour_is_hex CHECK (colour ~ '^#[0-9a-f]{6}$'),
    UNIQUE (organisation_id, name)
);
COMMENT ON TABLE app.labels IS 'Words to find tasks by';

CREATE TABLE app.task_labels (
    task_id bigint REFERENCES app.tasks ON DELETE CASCADE,
    label_id bigint REFERENCES app.labels ON DELETE CASCADE,
    PRIMARY KEY (task_id, label_id)
);
CREATE INDEX task_labels_label_id ON app.task_labels (label_id);

CREATE TABLE app.comments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id bigint NOT NULL REFERENCES app.tasks ON DELETE CASCADE,
    author_id uuid REFERENCES app.users ON DELETE SET NULL,
    body text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    edited_at timestamptz
);
COMMENT ON TABLE app.comments IS 'What people say about a task';

CREATE INDEX comments_task_id ON app.comments (task_id, created_at);

CREATE TABLE app.attachments (
    id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    task_id bigint REFERENCES app.tasks ON DELETE CASCADE,
    comment_id bigint REFERENCES app.comments ON DELETE CASCADE,
    file_name text NOT NULL,
    media_type text DEFAULT 'application/octet-stream' NOT NULL,
    bytes bigint NOT NULL CONSTRAINT attachments_are_not_empty CHECK (bytes > 0),
    sha256 bytea NOT NULL,
    CONSTRAINT attachments_have_one_place CHECK (num_nonnulls(task_id, comment_id) = 1)
);
COMMENT ON TABLE app.attachments IS 'Files beside a task or a comment; the bytes live in an object store';

CREATE INDEX attachments_sha256 ON app.attachments USING hash (sha256);

CREATE VIEW app.open_tasks AS
SELECT id, project_id, number, title, state, priority, assignee_id, due_on
FROM app.tasks
WHERE state <> 'done'
WITH CASCADED CHECK OPTION;
COMMENT ON VIEW app.open_tasks IS 'What is left to do; nothing can be closed through it';

CREATE VIEW app.project_progress AS
SELECT
    p.organisation_id,
    p.id AS project_id,
    p.key,
    p.name,
    count(t.id) AS tasks,
    count(t.id) FILTER (WHERE t.state = 'done') AS done,
    count(t.id) FILTER (WHERE t.state <> 'done' AND t.due_on < CURRENT_DATE) AS overdue
FROM app.projects p
LEFT JOIN app.tasks t ON t.project_id = p.id
GROUP BY p.id;
COMMENT ON VIEW app.project_progress IS 'How far each project is';

CREATE VIEW app.organisation_overview AS
SELECT
    o.id AS organisation_id,
    o.slug,
    o.name,
    app.format_address(o.address) AS address,
    (SELECT count(*) FROM app.active_members m WHERE m.organisation_id = o.id) AS members,
    (SELECT coalesce(sum(p.tasks - p.done), 0) FROM app.project_progress p WHERE p.organisation_id = o.id) AS open_tasks
FROM app.organisations o;
COMMENT ON VIEW app.organisation_overview IS 'One line for each organisation';

CREATE FUNCTION app.search_tasks(query text, max_rows integer DEFAULT 20)
    RETURNS TABLE (task_id bigint, reference text, title text, rank real)
    LANGUAGE sql STABLE
    AS $$
SELECT t.id, p.key || '-' || t.number, t.title, ts_rank(t.search, websearch_to_tsquery('english', query))
FROM app.tasks t
JOIN app.projects p ON p.id = t.project_id
WHERE t.search @@ websearch_to_tsquery('english', query)
ORDER BY 4 DESC, 1
LIMIT max_rows
$$;
COMMENT ON FUNCTION app.search_tasks(text, integer) IS 'Full-text search, the best match first';


--
-- Catalogue
--

CREATE TYPE shop.product_state AS ENUM ('draft', 'active', 'retired');

CREATE TABLE shop.categories (
    id serial PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    parent_id integer REFERENCES shop.categories ON DELETE RESTRICT,
    slug app.slug NOT NULL,
    name text NOT NULL,
    UNIQUE (organisation_id, slug),
    CONSTRAINT categories_parent_is_other CHECK (parent_id <> id)
);
COMMENT ON TABLE shop.categories IS 'The tree in which customers look for products';

CREATE UNIQUE INDEX categories_name ON shop.categories (organisation_id, coalesce(parent_id, 0), lower(name));
COMMENT ON INDEX shop.categories_name IS 'Siblings differ in name';

CREATE TABLE shop.products (
    id bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 1000) PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    category_id integer REFERENCES shop.categories ON DELETE SET NULL,
    sku text COLLATE "C" NOT NULL,
    name text NOT NULL,
    description text DEFAULT '' NOT NULL,
    price app.amount NOT NULL,
    currency app.currency NOT NULL,
    tax_rate app.percentage NOT NULL,
    weight_grams integer CONSTRAINT products_weight_is_positive CHECK (weight_grams > 0),
    attributes jsonb DEFAULT '{}' NOT NULL,
    tags text[] DEFAULT '{}' NOT NULL,
    state shop.product_state DEFAULT 'draft' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    UNIQUE (organisation_id, sku)
);
COMMENT ON TABLE shop.products IS 'What is for sale';
COMMENT ON COLUMN shop.products.sku IS 'The organisation''s own number for it';
COMMENT ON COLUMN shop.products.attributes IS 'What only some products have: {"colour": "red"}';
COMMENT ON COLUMN shop.products.tax_rate IS 'Per cent, not included in the price';

CREATE INDEX products_attributes ON shop.products USING gin (attributes jsonb_path_ops);
CREATE INDEX products_name_trgm ON shop.products USING gin (name gin_trgm_ops);
CREATE INDEX products_by_price ON shop.products (organisation_id, price DESC) INCLUDE (name) WHERE state = 'active';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON shop.products
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION app.set_updated_at();

CREATE TABLE shop.price_tiers (
    product_id bigint REFERENCES shop.products ON DELETE CASCADE,
    quantity int4range,
    unit_price app.amount NOT NULL,
    PRIMARY KEY (product_id, quantity),
    CONSTRAINT price_tiers_start_at_one CHECK (lower(quantity) >= 1),
    CONSTRAINT price_tiers_do_not_overlap EXCLUDE USING gist (product_id WITH =, quantity WITH &&)
);
COMMENT ON TABLE shop.price_tiers IS 'Prices for those who buy more';
COMMENT ON CONSTRAINT price_tiers_do_not_overlap ON shop.price_tiers IS 'There is one price for each quantity';

CREATE FUNCTION shop.unit_price(product_id bigint, quantity integer DEFAULT 1) RETURNS app.amount
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(
    (SELECT t.unit_price FROM shop.price_tiers t WHERE t.product_id = $1 AND t.quantity @> $2),
    (SELECT p.price FROM shop.products p WHERE p.id = $1)
)
$$;
COMMENT ON FUNCTION shop.unit_price(bigint, integer) IS 'What one piece costs when so many are bought';

CREATE VIEW shop.category_paths AS
WITH RECURSIVE path AS (
    SELECT id, organisation_id, ARRAY[name] AS names
    FROM shop.categories
    WHERE parent_id IS NULL
    UNION ALL
    SELECT c.id, c.organisation_id, path.names || c.name
    FROM shop.categories c
    JOIN path ON path.id = c.parent_id
)
SELECT id AS category_id, organisation_id, names, array_to_string(names, ' / ') AS path
FROM path;
COMMENT ON VIEW shop.category_paths IS 'Each category with all that stand above it';

CREATE VIEW shop.catalogue WITH (security_barrier) AS
SELECT p.id AS product_id, p.organisation_id, p.sku, p.name, c.path AS category, p.price, p.currency, p.tags
FROM shop.products p
LEFT JOIN shop.category_paths c ON c.category_id = p.category_id
WHERE p.state = 'active';
COMMENT ON VIEW shop.catalogue IS 'What customers see';

CREATE FUNCTION shop.change_price() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE shop.products SET price = NEW.price WHERE id = OLD.product_id;
    RETURN NEW;
END
$$;

CREATE TRIGGER change_price INSTEAD OF UPDATE ON shop.catalogue
    FOR EACH ROW EXECUTE FUNCTION shop.change_price();
COMMENT ON TRIGGER change_price ON shop.catalogue IS 'Of all that it shows, only the price can be changed';


--
-- Stock
--

CREATE TYPE shop.movement_reason AS ENUM ('purchase', 'sale', 'return', 'correction');

CREATE FUNCTION shop.time_diff(a time, b time) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
SELECT extract(epoch FROM (a - b))::double precision
$$;
COMMENT ON FUNCTION shop.time_diff(time, time) IS 'The distance of two times of day in seconds, for time_range';

CREATE TYPE shop.time_range AS RANGE (subtype = time, subtype_diff = shop.time_diff);
COMMENT ON TYPE shop.time_range IS 'A part of a day';

CREATE TABLE shop.locations (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    name text NOT NULL,
    address app.address CONSTRAINT locations_country_is_known CHECK ((address).country IS NOT NULL),
    "position" point,
    UNIQUE (organisation_id, name)
);
COMMENT ON TABLE shop.locations IS 'Shops and warehouses';
COMMENT ON COLUMN shop.locations."position" IS 'Longitude and latitude';

CREATE INDEX locations_position ON shop.locations USING gist ("position");

CREATE TABLE shop.opening_hours (
    location_id integer NOT NULL REFERENCES shop.locations ON DELETE CASCADE,
    weekday smallint NOT NULL CONSTRAINT opening_hours_weekday_is_iso CHECK (weekday BETWEEN 1 AND 7),
    hours shop.time_range NOT NULL CONSTRAINT opening_hours_are_not_empty CHECK (NOT isempty(hours)),
    CONSTRAINT opening_hours_do_not_overlap
        EXCLUDE USING gist (location_id WITH =, weekday WITH =, hours WITH &&)
);
COMMENT ON TABLE shop.opening_hours IS 'When a location is open, any number of times a day';
COMMENT ON COLUMN shop.opening_hours.weekday IS '1 is Monday, 7 is Sunday';

CREATE TABLE shop.stock_levels (
    location_id integer REFERENCES shop.locations ON DELETE RESTRICT,
    product_id bigint REFERENCES shop.products ON DELETE RESTRICT,
    on_hand integer DEFAULT 0 NOT NULL,
    reserved integer DEFAULT 0 NOT NULL CONSTRAINT stock_levels_reserved_is_not_negative CHECK (reserved >= 0),
    available integer GENERATED ALWAYS AS (on_hand - reserved) STORED,
    reorder_at integer DEFAULT 5 NOT NULL,
    PRIMARY KEY (location_id, product_id),
    CONSTRAINT stock_levels_cover_reserved CHECK (on_hand >= reserved)
) WITH (fillfactor = 80);
COMMENT ON TABLE shop.stock_levels IS 'How much of a product is where; updated often, so pages keep some room';
COMMENT ON COLUMN shop.stock_levels.available IS 'What can still be promised to customers';

CREATE TABLE shop.stock_movements (
    id bigserial PRIMARY KEY,
    location_id integer NOT NULL,
    product_id bigint NOT NULL,
    quantity integer NOT NULL CONSTRAINT stock_movements_move_something CHECK (quantity <> 0),
    reason shop.movement_reason NOT NULL,
    moved_at timestamptz DEFAULT now() NOT NULL,
    FOREIGN KEY (location_id, product_id) REFERENCES shop.stock_levels
);
COMMENT ON TABLE shop.stock_movements IS 'Every change of a stock level, in or out';

CREATE INDEX stock_movements_moved_at ON shop.stock_movements USING brin (moved_at) WITH (pages_per_range = 32);
CREATE INDEX stock_movements_product ON shop.stock_movements (product_id, moved_at DESC);

CREATE FUNCTION shop.move_stock() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE shop.stock_levels l
    SET on_hand = l.on_hand + m.quantity
    FROM (SELECT location_id, product_id, sum(quantity) AS quantity FROM moved GROUP BY 1, 2) m
    WHERE l.location_id = m.location_id AND l.product_id = m.product_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION shop.move_stock() IS 'Books new movements, all those of a statement at once';

CREATE TRIGGER move_stock AFTER INSERT ON shop.stock_movements
    REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION shop.move_stock();

CREATE VIEW shop.product_stock AS
SELECT p.organisation_id, p.id AS product_id, p.name, sum(l.available) AS available, sum(l.reorder_at) AS reorder_at
FROM shop.products p
JOIN shop.stock_levels l ON l.product_id = p.id
GROUP BY p.id;
COMMENT ON VIEW shop.product_stock IS 'Stock of each product over all locations';

CREATE VIEW shop.low_stock AS
SELECT organisation_id, product_id, name, available, reorder_at - available AS missing
FROM shop.product_stock
WHERE available < reorder_at;
COMMENT ON VIEW shop.low_stock IS 'What should be ordered';


--
-- Orders
--

CREATE TYPE shop.order_state AS ENUM ('cart', 'placed', 'paid', 'shipped', 'cancelled');

CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    email app.email NOT NULL,
    name text NOT NULL,
    phone text CONSTRAINT customers_phone_is_e164 CHECK (phone ~ '^\+[0-9]{6,15}$'),
    address app.address,
    created_at timestamptz DEFAULT now() NOT NULL,
    UNIQUE (organisation_id, email)
);
COMMENT ON TABLE shop.customers IS 'Who buys from an organisation';

CREATE INDEX customers_country ON shop.customers (((address).country));
CREATE INDEX customers_name ON shop.customers (organisation_id, lower(name) text_pattern_ops);

CREATE SEQUENCE shop.order_number START WITH 10000 CACHE 10;

CREATE TABLE shop.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    customer_id bigint NOT NULL REFERENCES shop.customers ON DELETE RESTRICT,
    number bigint DEFAULT nextval('shop.order_number') NOT NULL UNIQUE,
    state shop.order_state DEFAULT 'cart' NOT NULL,
    currency app.currency NOT NULL,
    ship_to app.address,
    notes text,
    placed_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT orders_placed_at_is_known CHECK (state = 'cart' OR placed_at IS NOT NULL)
);
ALTER SEQUENCE shop.order_number OWNED BY shop.orders.number;
COMMENT ON TABLE shop.orders IS 'What a customer wants, from the cart to the door';
COMMENT ON COLUMN shop.orders.number IS 'Printed on what customers get; unique over all organisations';
COMMENT ON SEQUENCE shop.order_number IS 'Order numbers have five digits at least';

CREATE INDEX orders_customer_id ON shop.orders (customer_id, placed_at DESC NULLS FIRST);
CREATE INDEX orders_to_ship ON shop.orders (organisation_id, placed_at) WHERE state = 'paid';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON shop.orders
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION app.set_updated_at();

CREATE FUNCTION shop.line_amount(quantity integer, unit_price numeric, discount numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
SELECT round(quantity * unit_price * (1 - coalesce(discount, 0) / 100), 2)
$$;
COMMENT ON FUNCTION shop.line_amount(integer, numeric, numeric) IS 'What a line costs after its discount';

CREATE TABLE shop.order_lines (
    order_id bigint REFERENCES shop.orders ON DELETE CASCADE,
    line smallint CONSTRAINT order_lines_count_from_one CHECK (line > 0),
    product_id bigint NOT NULL REFERENCES shop.products ON DELETE RESTRICT,
    quantity integer DEFAULT 1 NOT NULL CONSTRAINT order_lines_quantity_is_positive CHECK (quantity > 0),
    unit_price app.amount NOT NULL,
    discount app.percentage,
    amount numeric(12, 2) GENERATED ALWAYS AS (shop.line_amount(quantity, unit_price, discount)) STORED,
    PRIMARY KEY (order_id, line)
);
COMMENT ON TABLE shop.order_lines IS 'The products of an order, at the price of that day';

CREATE INDEX order_lines_product_id ON shop.order_lines (product_id) INCLUDE (quantity, amount);

CREATE FUNCTION shop.require_lines() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM shop.order_lines WHERE order_id = NEW.id) THEN
        RAISE EXCEPTION 'order % has no lines', NEW.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER require_lines AFTER INSERT OR UPDATE OF state ON shop.orders
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state IN ('placed', 'paid', 'shipped')) EXECUTE FUNCTION shop.require_lines();
COMMENT ON TRIGGER require_lines ON shop.orders IS 'An order may be empty until it is placed';

CREATE TABLE shop.shipments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES shop.orders ON DELETE RESTRICT,
    location_id integer NOT NULL REFERENCES shop.locations ON DELETE RESTRICT,
    carrier varchar(20) NOT NULL CONSTRAINT shipments_carrier_is_known CHECK (carrier IN ('DHL', 'DPD', 'UPS')),
    tracking_code text COLLATE "C",
    shipped_at timestamptz DEFAULT now() NOT NULL,
    delivered_at timestamptz,
    UNIQUE (carrier, tracking_code),
    CONSTRAINT shipments_arrive_later CHECK (delivered_at >= shipped_at)
);
COMMENT ON TABLE shop.shipments IS 'Parcels on their way';

CREATE TABLE shop.reviews (
    product_id bigint REFERENCES shop.products ON DELETE CASCADE,
    customer_id bigint REFERENCES shop.customers ON DELETE CASCADE,
    stars smallint NOT NULL CONSTRAINT reviews_stars_are_in_range CHECK (stars BETWEEN 1 AND 5),
    body text,
    written_at timestamptz DEFAULT now() NOT NULL,
    PRIMARY KEY (product_id, customer_id)
);
COMMENT ON TABLE shop.reviews IS 'What customers think of a product, once each';

CREATE VIEW shop.order_totals AS
SELECT
    o.id AS order_id,
    o.organisation_id,
    o.customer_id,
    o.number,
    o.state,
    o.placed_at,
    o.currency,
    coalesce(sum(l.quantity), 0) AS pieces,
    coalesce(sum(l.amount), 0) AS total
FROM shop.orders o
LEFT JOIN shop.order_lines l ON l.order_id = o.id
GROUP BY o.id;
COMMENT ON VIEW shop.order_totals IS 'Each order with what it comes to';

CREATE VIEW shop.customer_value AS
SELECT customer_id, currency, count(*) AS orders, sum(total) AS revenue, max(placed_at) AS last_order
FROM shop.order_totals
WHERE state IN ('paid', 'shipped')
GROUP BY customer_id, currency;
COMMENT ON VIEW shop.customer_value IS 'What each customer has brought in';

CREATE MATERIALIZED VIEW shop.product_sales AS
SELECT
    p.organisation_id,
    p.id AS product_id,
    count(DISTINCT l.order_id) AS orders,
    sum(l.quantity) AS pieces,
    sum(l.amount) AS revenue
FROM shop.products p
JOIN shop.order_lines l ON l.product_id = p.id
JOIN shop.order_totals t ON t.order_id = l.order_id AND t.state <> 'cancelled'
GROUP BY p.id;
COMMENT ON MATERIALIZED VIEW shop.product_sales IS 'What sells, as of the last refresh';

CREATE UNIQUE INDEX product_sales_key ON shop.product_sales (product_id);
CREATE INDEX product_sales_revenue ON shop.product_sales (organisation_id, revenue DESC);

CREATE PROCEDURE shop.cancel_order(order_id bigint, INOUT pieces bigint DEFAULT 0)
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE shop.orders o SET state = 'cancelled' WHERE o.id = cancel_order.order_id AND o.state IN ('placed', 'paid');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'order % cannot be cancelled', order_id;
    END IF;
    SELECT t.pieces INTO pieces FROM shop.order_totals t WHERE t.order_id = cancel_order.order_id;
END
$$;
COMMENT ON PROCEDURE shop.cancel_order(bigint, bigint) IS 'Cancels an order; says how many pieces go back on the shelf';


--
-- Bookings
--

CREATE TYPE shop.booking_state AS ENUM ('held', 'confirmed', 'cancelled');

CREATE TABLE shop.resources (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE CASCADE,
    location_id integer REFERENCES shop.locations ON DELETE SET NULL,
    name text NOT NULL,
    capacity smallint DEFAULT 1 NOT NULL CONSTRAINT resources_hold_someone CHECK (capacity > 0),
    hourly_rate app.amount NOT NULL,
    UNIQUE (organisation_id, name)
);
COMMENT ON TABLE shop.resources IS 'Rooms and machines that can be rented';

CREATE TABLE shop.bookings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource_id integer NOT NULL REFERENCES shop.resources ON DELETE CASCADE,
    customer_id bigint NOT NULL REFERENCES shop.customers ON DELETE RESTRICT,
    during tstzrange NOT NULL,
    state shop.booking_state DEFAULT 'held' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT bookings_have_an_end CHECK (NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)),
    CONSTRAINT bookings_do_not_overlap
        EXCLUDE USING gist (resource_id WITH =, during WITH &&) WHERE (state <> 'cancelled')
        DEFERRABLE
);
COMMENT ON TABLE shop.bookings IS 'Who has which resource when';
COMMENT ON CONSTRAINT bookings_do_not_overlap ON shop.bookings IS 'Deferrable, so that two bookings can change places';

CREATE INDEX bookings_customer_id ON shop.bookings (customer_id);

CREATE FUNCTION shop.free_slots(resource_id integer, day date, length interval DEFAULT '1 hour') RETURNS SETOF tstzrange
    LANGUAGE sql STABLE
    AS $$
SELECT tstzrange(slot, slot + length)
FROM generate_series(day::timestamptz, (day + 1)::timestamptz - length, length) AS slot
WHERE NOT EXISTS (
    SELECT FROM shop.bookings b
    WHERE b.resource_id = $1 AND b.state <> 'cancelled' AND b.during && tstzrange(slot, slot + length)
)
$$;
COMMENT ON FUNCTION shop.free_slots(integer, date, interval) IS 'When a resource can still be had on a day';


--
-- Billing
--

CREATE TYPE billing.period AS ENUM ('month', 'year');
CREATE TYPE billing.invoice_state AS ENUM ('draft', 'open', 'paid', 'void');
CREATE TYPE billing.payment_method AS ENUM ('card', 'transfer', 'direct_debit');

CREATE TABLE billing.plans (
    code text PRIMARY KEY,
    name text NOT NULL,
    price app.amount NOT NULL,
    currency app.currency NOT NULL,
    period billing.period DEFAULT 'month' NOT NULL,
    features text[] DEFAULT '{}' NOT NULL,
    retired boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE billing.plans IS 'What organisations can subscribe to';

CREATE TABLE billing.subscriptions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE RESTRICT,
    plan_code text NOT NULL REFERENCES billing.plans ON UPDATE CASCADE,
    seats integer DEFAULT 1 NOT NULL CONSTRAINT subscriptions_seat_someone CHECK (seats > 0),
    during daterange NOT NULL,
    CONSTRAINT subscriptions_do_not_overlap EXCLUDE USING gist (organisation_id WITH =, during WITH &&)
);
COMMENT ON TABLE billing.subscriptions IS 'Which plan an organisation has, and when';
COMMENT ON CONSTRAINT subscriptions_do_not_overlap ON billing.subscriptions IS 'One plan at a time';

CREATE TABLE billing.tax_rates (
    country char(2) NOT NULL,
    rate app.percentage NOT NULL,
    during daterange DEFAULT '(,)' NOT NULL,
    EXCLUDE USING gist (country WITH =, during WITH &&)
);
COMMENT ON TABLE billing.tax_rates IS 'Value-added tax by country and time';

CREATE SEQUENCE billing.invoice_number AS integer START WITH 100000 INCREMENT BY 1 MAXVALUE 999999 NO CYCLE;
COMMENT ON SEQUENCE billing.invoice_number IS 'Shared by invoices and credit notes';

CREATE FUNCTION billing.next_number(prefix text DEFAULT 'INV') RETURNS text
    LANGUAGE sql
    AS $$
SELECT prefix || '-' || nextval('billing.invoice_number')
$$;
COMMENT ON FUNCTION billing.next_number(text) IS 'The next number for a document: INV-100042';

CREATE TABLE billing.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES app.organisations ON DELETE RESTRICT,
    order_id bigint UNIQUE REFERENCES shop.orders ON DELETE RESTRICT,
    subscription_id bigint REFERENCES billing.subscriptions ON DELETE RESTRICT,
    number text COLLATE "C" DEFAULT billing.next_number() NOT NULL UNIQUE,
    state billing.invoice_state DEFAULT 'draft' NOT NULL,
    currency app.currency NOT NULL,
    issued_on date DEFAULT CURRENT_DATE NOT NULL,
    due_on date NOT NULL,
    CONSTRAINT invoices_have_one_reason CHECK (num_nonnulls(order_id, subscription_id) = 1),
    CONSTRAINT invoices_due_after_issue CHECK (due_on >= issued_on)
);
COMMENT ON TABLE billing.invoices IS 'What is owed for an order or for a subscription';

CREATE INDEX invoices_open ON billing.invoices (organisation_id, due_on) WHERE state = 'open';

CREATE TABLE billing.invoice_lines (
    invoice_id bigint REFERENCES billing.invoices ON DELETE CASCADE,
    id uuid DEFAULT gen_random_uuid(),
    line smallint NOT NULL,
    description text NOT NULL,
    amount app.amount NOT NULL,
    tax_rate app.percentage NOT NULL,
    tax numeric(12, 2) GENERATED ALWAYS AS (round(amount * tax_rate / 100, 2)) STORED,
    PRIMARY KEY (invoice_id, id),
    CONSTRAINT invoice_lines_in_order UNIQUE (invoice_id, line) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE billing.invoice_lines IS 'What an invoice lists';
COMMENT ON CONSTRAINT invoice_lines_in_order ON billing.invoice_lines IS 'Deferred, so that lines can change places';

CREATE TABLE billing.payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    invoice_id bigint NOT NULL REFERENCES billing.invoices ON DELETE RESTRICT,
    method billing.payment_method NOT NULL,
    amount app.amount NOT NULL CONSTRAINT payments_pay_something CHECK (amount > 0),
    reference text,
    details jsonb DEFAULT '{}' NOT NULL,
    received_at timestamptz DEFAULT now() NOT NULL,
    UNIQUE (method, reference)
);
COMMENT ON TABLE billing.payments IS 'Money that came in';
COMMENT ON COLUMN billing.payments.details IS 'What the payment provider said';

CREATE INDEX payments_invoice_id ON billing.payments (invoice_id);

CREATE TABLE billing.credit_notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    invoice_id bigint NOT NULL REFERENCES billing.invoices ON DELETE RESTRICT,
    number text COLLATE "C" DEFAULT billing.next_number('CN') NOT NULL UNIQUE,
    amount app.amount NOT NULL,
    reason text NOT NULL,
    issued_on date DEFAULT CURRENT_DATE NOT NULL
);
COMMENT ON TABLE billing.credit_notes IS 'Invoices taken back, in part or as a whole';

CREATE VIEW billing.invoice_totals AS
SELECT
    i.id AS invoice_id,
    i.organisation_id,
    i.number,
    i.state,
    i.currency,
    i.issued_on,
    i.due_on,
    coalesce(sum(l.amount), 0) AS net,
    coalesce(sum(l.amount + l.tax), 0) AS gross
FROM billing.invoices i
LEFT JOIN billing.invoice_lines l ON l.invoice_id = i.id
GROUP BY i.id;
COMMENT ON VIEW billing.invoice_totals IS 'Each invoice with what it comes to';

CREATE FUNCTION billing.outstanding(invoice_id bigint) RETURNS numeric
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT t.gross
            - (SELECT coalesce(sum(p.amount), 0) FROM billing.payments p WHERE p.invoice_id = t.invoice_id)
            - (SELECT coalesce(sum(c.amount), 0) FROM billing.credit_notes c WHERE c.invoice_id = t.invoice_id)
        FROM billing.invoice_totals t
        WHERE t.invoice_id = $1;
    END;
COMMENT ON FUNCTION billing.outstanding(bigint) IS 'What is left to pay of an invoice';

CREATE VIEW billing.receivables AS
SELECT
    t.organisation_id,
    t.invoice_id,
    t.number,
    t.currency,
    t.due_on,
    greatest(CURRENT_DATE - t.due_on, 0) AS days_late,
    billing.outstanding(t.invoice_id) AS outstanding
FROM billing.invoice_totals t
WHERE t.state = 'open';
COMMENT ON VIEW billing.receivables IS 'Who owes how much, and for how long';

CREATE MATERIALIZED VIEW billing.monthly_revenue AS
SELECT
    organisation_id,
    date_trunc('month', issued_on)::date AS month,
    currency,
    count(*) AS invoices,
    sum(net) AS net,
    sum(gross) AS gross
FROM billing.invoice_totals
WHERE state IN ('open', 'paid')
GROUP BY 1, 2, 3;
COMMENT ON MATERIALIZED VIEW billing.monthly_revenue IS 'For the charts, refreshed when a month is closed';

CREATE UNIQUE INDEX monthly_revenue_key ON billing.monthly_revenue (organisation_id, month, currency);

CREATE PROCEDURE billing.close_month(month date)
    LANGUAGE plpgsql
    SET search_path = billing, pg_temp
    AS $$
BEGIN
    UPDATE invoices SET state = 'open'
    WHERE state = 'draft' AND issued_on < date_trunc('month', close_month.month) + interval '1 month';
    REFRESH MATERIALIZED VIEW monthly_revenue;
END
$$;
COMMENT ON PROCEDURE billing.close_month(date) IS 'Sends out the drafts of a month and updates the charts';


--
-- Audit
--

CREATE TABLE app.audit_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at timestamptz DEFAULT now() NOT NULL,
    organisation_id bigint,
    actor_id uuid,
    relation text NOT NULL,
    action varchar(10) NOT NULL
        CONSTRAINT audit_events_action_is_known CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    before jsonb,
    after jsonb
);
COMMENT ON TABLE app.audit_events IS 'Who changed what; rows are only ever added, and outlive what they speak of';

CREATE INDEX audit_events_occurred_at ON app.audit_events USING brin (occurred_at);
CREATE INDEX audit_events_after ON app.audit_events USING gin (after jsonb_path_ops) WHERE after IS NOT NULL;

CREATE FUNCTION app.record_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = app, pg_temp
    AS $$
DECLARE
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
BEGIN
    INSERT INTO audit_events (organisation_id, actor_id, relation, action, before, after)
    VALUES (
        (coalesce(new_row, old_row) ->> 'organisation_id')::bigint,
        current_user_id(),
        format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME),
        TG_OP,
        old_row,
        new_row
    );
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION app.record_change() IS 'Writes an audit event, for an AFTER trigger of any table';
REVOKE EXECUTE ON FUNCTION app.record_change() FROM PUBLIC;

CREATE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON app.members
    FOR EACH ROW EXECUTE FUNCTION app.record_change();
CREATE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON app.api_keys
    FOR EACH ROW EXECUTE FUNCTION app.record_change();
CREATE TRIGGER record_change AFTER UPDATE OR DELETE ON shop.products
    FOR EACH ROW EXECUTE FUNCTION app.record_change();
CREATE TRIGGER record_change AFTER UPDATE OR DELETE ON billing.invoices
    FOR EACH ROW EXECUTE FUNCTION app.record_change();

CREATE FUNCTION app.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON app.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_change();
COMMENT ON TRIGGER refuse_change ON app.audit_events IS 'The past stays as it was';


--
-- Access: a session sees the rows of its organisation
--

ALTER TABLE app.members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON app.members FOR SELECT
    USING (organisation_id = app.current_organisation());
CREATE POLICY admins_manage ON app.members
    USING (organisation_id = app.current_organisation() AND app.has_role('admin'));
COMMENT ON POLICY admins_manage ON app.members IS 'It takes an admin to add, promote or remove a member';

ALTER TABLE app.invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON app.invitations FOR SELECT
    USING (organisation_id = app.current_organisation());
CREATE POLICY admins_invite ON app.invitations FOR INSERT
    WITH CHECK (organisation_id = app.current_organisation() AND app.has_role('admin'));

ALTER TABLE app.api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON app.api_keys
    USING (organisation_id = app.current_organisation() AND app.has_role('admin'));
COMMENT ON POLICY own_organisation ON app.api_keys IS 'Holds for the owner of the table, too';

ALTER TABLE app.projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON app.projects
    USING (organisation_id = app.current_organisation());

ALTER TABLE app.tasks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON app.tasks
    USING (EXISTS (SELECT FROM app.projects p WHERE p.id = project_id));
COMMENT ON POLICY own_organisation ON app.tasks IS 'Who sees the project sees its tasks';
CREATE POLICY editors_write ON app.tasks AS RESTRICTIVE FOR UPDATE
    USING (app.has_role('editor') OR assignee_id = app.current_user_id());
COMMENT ON POLICY editors_write ON app.tasks IS 'Viewers change only what they are to do themselves';

ALTER TABLE app.audit_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY owners_read ON app.audit_events FOR SELECT
    USING (organisation_id = app.current_organisation() AND app.has_role('owner'));

ALTER TABLE shop.products ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON shop.products
    USING (organisation_id = app.current_organisation());
CREATE POLICY everyone_sees_active ON shop.products FOR SELECT
    USING (state = 'active');

ALTER TABLE shop.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON shop.customers
    USING (organisation_id = app.current_organisation());

ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON shop.orders
    USING (organisation_id = app.current_organisation())
    WITH CHECK (organisation_id = app.current_organisation() AND app.has_role('editor'));

ALTER TABLE shop.order_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON shop.order_lines
    USING (EXISTS (SELECT FROM shop.orders o WHERE o.id = order_id));

ALTER TABLE billing.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON billing.invoices FOR SELECT
    USING (organisation_id = app.current_organisation());
CREATE POLICY drafts_can_change ON billing.invoices FOR UPDATE
    USING (organisation_id = app.current_organisation() AND state = 'draft')
    WITH CHECK (organisation_id = app.current_organisation());

ALTER TABLE billing.payments ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON billing.payments FOR SELECT
    USING (EXISTS (SELECT FROM billing.invoices i WHERE i.id = invoice_id));
