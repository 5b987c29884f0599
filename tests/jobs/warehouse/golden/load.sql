-- find the last load
select load_id from "segments"."pipeline_runs" order by load_number desc limit 1;

-- wait for other loads
lock table "segments"."pipeline_lock";

-- create staging for customers
create temp table "staging_customers" (
  "customer_id" varchar(64) not null,
  "customer_unique_id" varchar(64),
  "zip_code" varchar(16),
  "customer_city" varchar(256),
  "state" varchar(16)
)
diststyle key distkey ("customer_unique_id");

-- copy customers into staging
copy "staging_customers"
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/customers.manifest'
iam_role 'arn:aws:iam::123456789012:role/segments-copy'
format as parquet manifest;

-- delete customers
delete from "segments"."customers";

-- insert customers
insert into "segments"."customers" ("customer_id", "customer_unique_id", "zip_code", "customer_city", "state")
select "customer_id", "customer_unique_id", "zip_code", "customer_city", "state"
from "staging_customers";

-- create staging for orders
create temp table "staging_orders" (
  "order_id" varchar(64) not null,
  "customer_id" varchar(64),
  "order_status" varchar(32),
  "order_purchase_time" timestamp,
  "order_approved_at" timestamp,
  "order_delivered_carrier_date" timestamp,
  "order_delivered_customer_date" timestamp,
  "order_estimated_delivery_date" timestamp
)
diststyle key distkey ("order_id");

-- copy orders into staging
copy "staging_orders"
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/orders.manifest'
iam_role 'arn:aws:iam::123456789012:role/segments-copy'
format as parquet manifest;

-- delete orders
delete from "segments"."orders";

-- insert orders
insert into "segments"."orders" ("order_id", "customer_id", "order_status", "order_purchase_time", "order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date", "order_estimated_delivery_date")
select "order_id", "customer_id", "order_status", "order_purchase_time", "order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date", "order_estimated_delivery_date"
from "staging_orders";

-- create staging for payments
create temp table "staging_payments" (
  "order_id" varchar(64) not null,
  "payment_sequential" integer not null,
  "payment_type" varchar(32),
  "payment_installments" integer,
  "payment_value" decimal(18, 4)
)
diststyle key distkey ("order_id");

-- copy payments into staging
copy "staging_payments"
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/payments.manifest'
iam_role 'arn:aws:iam::123456789012:role/segments-copy'
format as parquet manifest;

-- delete payments
delete from "segments"."payments";

-- insert payments
insert into "segments"."payments" ("order_id", "payment_sequential", "payment_type", "payment_installments", "payment_value")
select "order_id", "payment_sequential", "payment_type", "payment_installments", "payment_value"
from "staging_payments";

-- create staging for transactions
create temp table "staging_transactions" (
  "order_id" varchar(64) not null,
  "payment_sequential" integer not null,
  "customer_unique_id" varchar(64),
  "order_purchase_time" timestamp,
  "payment_value" decimal(18, 4)
)
diststyle key distkey ("customer_unique_id");

-- copy transactions into staging
copy "staging_transactions"
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/transactions.manifest'
iam_role 'arn:aws:iam::123456789012:role/segments-copy'
format as parquet manifest;

-- delete transactions
delete from "segments"."transactions";

-- insert transactions
insert into "segments"."transactions" ("order_id", "payment_sequential", "customer_unique_id", "order_purchase_time", "payment_value")
select "order_id", "payment_sequential", "customer_unique_id", "order_purchase_time", "payment_value"
from "staging_transactions";

-- create staging for purchases
create temp table "staging_purchases" (
  "customer_unique_id" varchar(64) not null,
  "order_purchase_time" timestamp not null,
  "value" decimal(18, 4)
)
diststyle key distkey ("customer_unique_id");

-- copy purchases into staging
copy "staging_purchases"
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/purchases.manifest'
iam_role 'arn:aws:iam::123456789012:role/segments-copy'
format as parquet manifest;

-- delete purchases
delete from "segments"."purchases";

-- insert purchases
insert into "segments"."purchases" ("customer_unique_id", "order_purchase_time", "value")
select "customer_unique_id", "order_purchase_time", "value"
from "staging_purchases";

-- create staging for rfm
create temp table "staging_rfm" (
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
  "m_to_next" decimal(18, 4)
)
diststyle key distkey ("customer_unique_id");

-- copy rfm into staging
copy "staging_rfm"
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/rfm.manifest'
iam_role 'arn:aws:iam::123456789012:role/segments-copy'
format as parquet manifest;

-- delete rfm
delete from "segments"."rfm";

-- insert rfm
insert into "segments"."rfm" ("customer_unique_id", "as_of", "first_purchase_time", "last_purchase_time", "days_since_last_purchase", "recency_weeks", "tenure_days", "purchase_count", "average_purchase_value", "total_value", "recency", "frequency", "monetary", "r_score", "f_score", "m_score", "rfm_score", "segment_code", "segment", "r_band", "r_to_next", "f_band", "f_to_next", "m_band", "m_to_next")
select "customer_unique_id", "as_of", "first_purchase_time", "last_purchase_time", "days_since_last_purchase", "recency_weeks", "tenure_days", "purchase_count", "average_purchase_value", "total_value", "recency", "frequency", "monetary", "r_score", "f_score", "m_score", "rfm_score", "segment_code", "segment", "r_band", "r_to_next", "f_band", "f_to_next", "m_band", "m_to_next"
from "staging_rfm";

-- create staging for segment_history
create temp table "staging_segment_history" (
  "customer_unique_id" varchar(64) not null,
  "segment_code" varchar(32),
  "segment" varchar(128),
  "previous_segment_code" varchar(32),
  "previous_segment" varchar(128),
  "segment_since" date,
  "runs_in_segment" integer
)
diststyle key distkey ("customer_unique_id");

-- copy segment_history into staging
copy "staging_segment_history"
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/segment_history.manifest'
iam_role 'arn:aws:iam::123456789012:role/segments-copy'
format as parquet manifest;

-- delete segment_history
delete from "segments"."segment_history";

-- insert segment_history
insert into "segments"."segment_history" ("customer_unique_id", "segment_code", "segment", "previous_segment_code", "previous_segment", "segment_since", "runs_in_segment")
select "customer_unique_id", "segment_code", "segment", "previous_segment_code", "previous_segment", "segment_since", "runs_in_segment"
from "staging_segment_history";

-- create staging for segment_changes
create temp table "staging_segment_changes" (
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
  "code_after_cut_points" varchar(32)
)
diststyle key distkey ("customer_unique_id");

-- copy segment_changes into staging
copy "staging_segment_changes"
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/segment_changes.manifest'
iam_role 'arn:aws:iam::123456789012:role/segments-copy'
format as parquet manifest;

-- delete segment_changes
delete from "segments"."segment_changes";

-- insert segment_changes
insert into "segments"."segment_changes" ("customer_unique_id", "from_as_of", "from_segment_code", "from_segment", "to_segment_code", "to_segment", "cause", "code_after_past_data", "code_after_new_purchases", "code_after_time", "code_after_cut_points")
select "customer_unique_id", "from_as_of", "from_segment_code", "from_segment", "to_segment_code", "to_segment", "cause", "code_after_past_data", "code_after_new_purchases", "code_after_time", "code_after_cut_points"
from "staging_segment_changes";

-- add up rows and money
select cast('customers' as varchar(128)) as table_name, count(*) as row_count, cast(null as decimal(38, 4)) as money
from "segments"."customers"
union all
select cast('orders' as varchar(128)) as table_name, count(*) as row_count, cast(null as decimal(38, 4)) as money
from "segments"."orders"
union all
select cast('payments' as varchar(128)) as table_name, count(*) as row_count, cast(sum("payment_value") as decimal(38, 4)) as money
from "segments"."payments"
union all
select cast('transactions' as varchar(128)) as table_name, count(*) as row_count, cast(sum("payment_value") as decimal(38, 4)) as money
from "segments"."transactions"
union all
select cast('purchases' as varchar(128)) as table_name, count(*) as row_count, cast(sum("value") as decimal(38, 4)) as money
from "segments"."purchases"
union all
select cast('rfm' as varchar(128)) as table_name, count(*) as row_count, cast(sum("total_value") as decimal(38, 4)) as money
from "segments"."rfm"
union all
select cast('segment_history' as varchar(128)) as table_name, count(*) as row_count, cast(null as decimal(38, 4)) as money
from "segments"."segment_history"
union all
select cast('segment_changes' as varchar(128)) as table_name, count(*) as row_count, cast(null as decimal(38, 4)) as money
from "segments"."segment_changes";

-- compare rows and money with the run's manifest
select 1 / (case when count(*) = 0 then 1 else 0 end) as is_whole
-- Divides by zero if a table differs from the manifest, which rolls the transaction back.
from (
  select count(*) as row_count from "segments"."customers"
  having count(*) <> 3
  union all
  select count(*) as row_count from "segments"."orders"
  having count(*) <> 3
  union all
  select count(*) as row_count from "segments"."payments"
  having count(*) <> 4 or coalesce(cast(sum("payment_value") as decimal(38, 4)), 0) <> 40.5000
  union all
  select count(*) as row_count from "segments"."transactions"
  having count(*) <> 4 or coalesce(cast(sum("payment_value") as decimal(38, 4)), 0) <> 40.5000
  union all
  select count(*) as row_count from "segments"."purchases"
  having count(*) <> 3 or coalesce(cast(sum("value") as decimal(38, 4)), 0) <> 40.5000
  union all
  select count(*) as row_count from "segments"."rfm"
  having count(*) <> 2 or coalesce(cast(sum("total_value") as decimal(38, 4)), 0) <> 40.5000
  union all
  select count(*) as row_count from "segments"."segment_history"
  having count(*) <> 2
  union all
  select count(*) as row_count from "segments"."segment_changes"
  having count(*) <> 2
) as differing;

-- record the load
insert into "segments"."pipeline_runs" ("load_number", "load_id", "run_id", "as_of", "loaded_at", "configuration_hash", "tables")
select coalesce(max(load_number), 0) + 1,
  '00d1ce5a1ad0f00d',
  '2018-06-30-june',
  cast('2018-06-30' as date),
  getdate(),
  '0123456789abcdef',
  '{"customers": {"rows": 3}, "orders": {"rows": 3}, "payments": {"rows": 4, "money": "40.5000"}, "transactions": {"rows": 4, "money": "40.5000"}, "purchases": {"rows": 3, "money": "40.5000"}, "rfm": {"rows": 2, "money": "40.5000"}, "segment_history": {"rows": 2}, "segment_changes": {"rows": 2}}'
from "segments"."pipeline_runs";
