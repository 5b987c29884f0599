-- create table payments_raw
create table if not exists "segments"."payments_raw" (
  "order_id" varchar(64),
  "payment_type" varchar(32)
)
diststyle even;

-- wait for other loads
lock table "segments"."pipeline_lock";

-- delete payments_raw
delete from "segments"."payments_raw";

-- copy files into payments_raw
copy "segments"."payments_raw" ("payment_type", "order_id")
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/payments_raw.manifest'
iam_role default
manifest csv ignoreheader 1 maxerror 0;

-- copy files into payments_raw
copy "segments"."payments_raw" ("payment_type", "order_id")
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/payments_raw.gz.manifest'
iam_role default
manifest csv ignoreheader 1 maxerror 0 gzip;

-- add up rows and money
select cast('payments_raw' as varchar(128)) as table_name, count(*) as row_count, cast(null as decimal(38, 4)) as money
from "segments"."payments_raw";

-- compare rows and money with the run's manifest
select 1 / (case when count(*) = 0 then 1 else 0 end) as is_whole
-- Divides by zero if a table differs from the manifest, which rolls the transaction back.
from (
  select count(*) as row_count from "segments"."payments_raw"
  having count(*) <> 4
) as differing;
