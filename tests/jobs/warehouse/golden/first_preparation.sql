-- list tables and columns
select cast(table_schema as varchar(128)), cast(table_name as varchar(128)), cast(column_name as varchar(128))
from information_schema.columns
where table_schema in (:tables_schema, :views_schema)
order by table_schema, table_name, ordinal_position;

-- create schema segments
create schema if not exists "segments";

-- create table customers
create table if not exists "segments"."customers" (
  "customer_id" varchar(64) not null,
  "customer_unique_id" varchar(64),
  "zip_code" varchar(16),
  "customer_city" varchar(256),
  "state" varchar(16),
  primary key ("customer_id")
)
diststyle key distkey ("customer_unique_id") sortkey ("customer_id");

-- create table orders
create table if not exists "segments"."orders" (
  "order_id" varchar(64) not null,
  "customer_id" varchar(64),
  "order_status" varchar(32),
  "order_purchase_time" timestamp,
  "order_approved_at" timestamp,
  "order_delivered_carrier_date" timestamp,
  "order_delivered_customer_date" timestamp,
  "order_estimated_delivery_date" timestamp,
  primary key ("order_id")
)
diststyle key distkey ("order_id") sortkey ("order_purchase_time");

-- create table payments
create table if not exists "segments"."payments" (
  "order_id" varchar(64) not null,
  "payment_sequential" integer not null,
  "payment_type" varchar(32),
  "payment_installments" integer,
  "payment_value" decimal(18, 4),
  primary key ("order_id", "payment_sequential")
)
diststyle key distkey ("order_id") sortkey ("order_id");

-- create table transactions
create table if not exists "segments"."transactions" (
  "order_id" varchar(64) not null,
  "payment_sequential" integer not null,
  "customer_unique_id" varchar(64),
  "order_purchase_time" timestamp,
  "payment_value" decimal(18, 4),
  primary key ("order_id", "payment_sequential")
)
diststyle key distkey ("customer_unique_id") sortkey ("order_purchase_time");

-- create table purchases
create table if not exists "segments"."purchases" (
  "customer_unique_id" varchar(64) not null,
  "order_purchase_time" timestamp not null,
  "value" decimal(18, 4),
  primary key ("customer_unique_id", "order_purchase_time")
)
diststyle key distkey ("customer_unique_id") sortkey ("order_purchase_time");

-- create table rfm
create table if not exists "segments"."rfm" (
  "customer_unique_id" varchar(64) not null,
  "as_of" timestamp,
  "first_purchase_time" timestamp,
  "last_purchase_time" timestamp,
  "days_since_last_purchase" integer,
  "recency_weeks" integer,
  "tenure_days" integer,
  "purchase_count" bigint,
  "average_purchase_value" decimal(18, 4),
  "total_value" decimal(18, 4),
  "recency" double precision,
  "frequency" double precision,
  "monetary" double precision,
  "r_score" integer,
  "f_score" integer,
  "m_score" integer,
  "rfm_score" varchar(3),
  "segment_code" varchar(32),
  "segment" varchar(128),
  "r_band" varchar(64),
  "r_to_next" integer,
  "f_band" varchar(64),
  "f_to_next" bigint,
  "m_band" varchar(64),
  "m_to_next" decimal(18, 4),
  primary key ("customer_unique_id")
)
diststyle key distkey ("customer_unique_id") sortkey ("customer_unique_id");

-- create table segment_history
create table if not exists "segments"."segment_history" (
  "customer_unique_id" varchar(64) not null,
  "segment_code" varchar(32),
  "segment" varchar(128),
  "previous_segment_code" varchar(32),
  "previous_segment" varchar(128),
  "segment_since" date,
  "runs_in_segment" integer,
  primary key ("customer_unique_id")
)
diststyle key distkey ("customer_unique_id") sortkey ("customer_unique_id");

-- create table segment_changes
create table if not exists "segments"."segment_changes" (
  "customer_unique_id" varchar(64) not null,
  "from_as_of" date,
  "from_segment_code" varchar(32),
  "from_segment" varchar(128),
  "to_segment_code" varchar(32),
  "to_segment" varchar(128),
  "cause" varchar(32),
  "code_after_past_data" varchar(32),
  "code_after_new_purchases" varchar(32),
  "code_after_time" varchar(32),
  "code_after_cut_points" varchar(32),
  primary key ("customer_unique_id")
)
diststyle key distkey ("customer_unique_id") sortkey ("customer_unique_id");

-- create table customer_segments
create table if not exists "segments"."customer_segments" (
  "customer_unique_id" varchar(64) not null,
  "cluster" integer,
  "distance" double precision,
  "cluster_name" varchar(256),
  primary key ("customer_unique_id")
)
diststyle key distkey ("customer_unique_id") sortkey ("customer_unique_id");

-- create table pipeline_runs
create table if not exists "segments"."pipeline_runs" (
  "load_number" bigint,
  "load_id" varchar(64),
  "run_id" varchar(256),
  "as_of" date,
  "loaded_at" timestamp,
  "configuration_hash" varchar(64),
  "tables" varchar(16384)
)
diststyle all;

-- create table pipeline_lock
create table if not exists "segments"."pipeline_lock" (
  "load_number" bigint
)
diststyle all;

-- create schema segments_workshop
create schema if not exists "segments_workshop";

-- create view customers_1
create or replace view "segments_workshop"."customers_1" as
select "customer_id", "customer_unique_id", "zip_code", "customer_city", "state"
from "segments"."customers";

-- create view orders_1
create or replace view "segments_workshop"."orders_1" as
select "order_id", "customer_id", "order_status", "order_purchase_time", "order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date", "order_estimated_delivery_date"
from "segments"."orders";

-- create view payments_1
create or replace view "segments_workshop"."payments_1" as
select "order_id", "payment_sequential", "payment_type", "payment_installments", "payment_value"
from "segments"."payments";

-- create view transactions_1
create or replace view "segments_workshop"."transactions_1" as
select "order_id", "customer_unique_id", "order_purchase_time", "payment_value"
from "segments"."transactions";

-- create view rfm_input_1
create or replace view "segments_workshop"."rfm_input_1" as
select "customer_unique_id", "order_purchase_time", "value"
from "segments"."purchases";

-- create view rfm_input_2
create or replace view "segments_workshop"."rfm_input_2" as
select "customer_unique_id", "recency", "frequency", "monetary"
from "segments"."rfm";
