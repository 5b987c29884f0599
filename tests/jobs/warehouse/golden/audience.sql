-- create table audiences
create table if not exists "segments"."audiences" (
  "audience_id" varchar(64) not null,
  "campaign" varchar(800),
  "run_id" varchar(256),
  "as_of" date,
  "customer_unique_id" varchar(64) not null,
  "segment_code" varchar(32),
  "change" varchar(16),
  "previous_segment_code" varchar(32),
  "arm" varchar(16)
)
diststyle key distkey ("customer_unique_id") sortkey ("audience_id");

-- wait for other loads
lock table "segments"."pipeline_lock";

-- create staging for audiences
create temp table "staging_audiences" (
  "audience_id" varchar(64) not null,
  "campaign" varchar(800),
  "run_id" varchar(256),
  "as_of" date,
  "customer_unique_id" varchar(64) not null,
  "segment_code" varchar(32),
  "change" varchar(16),
  "previous_segment_code" varchar(32),
  "arm" varchar(16)
)
diststyle key distkey ("customer_unique_id");

-- copy audiences into staging
copy "staging_audiences"
from 's3://a-bucket/staging/2018-06-30-june/00d1ce5a1ad0f00d/audiences.manifest'
iam_role 'arn:aws:iam::123456789012:role/segments-copy'
format as parquet manifest;

-- delete the audience
delete from "segments"."audiences"
where "audience_id" = '5b1a9';

-- insert the audience
insert into "segments"."audiences" ("audience_id", "campaign", "run_id", "as_of", "customer_unique_id", "segment_code", "change", "previous_segment_code", "arm")
select "audience_id", "campaign", "run_id", "as_of", "customer_unique_id", "segment_code", "change", "previous_segment_code", "arm"
from "staging_audiences"
where "audience_id" = '5b1a9';

-- count the members
select count(*) as members, count(distinct "customer_unique_id") as customers, count(case when "arm" = 'treatment' then 1 end) as treatment, count(case when "arm" = 'control' then 1 end) as control
from "segments"."audiences"
where "audience_id" = '5b1a9';

-- compare the members with the audience's record
select 1 / (case when members = 3 and customers = 3 and treatment = 2 and control = 1 then 1 else 0 end) as is_whole
-- Divides by zero if a count differs from audience.json, which rolls the transaction back.
from (
select count(*) as members, count(distinct "customer_unique_id") as customers, count(case when "arm" = 'treatment' then 1 end) as treatment, count(case when "arm" = 'control' then 1 end) as control
from "segments"."audiences"
where "audience_id" = '5b1a9'
) as counted;
