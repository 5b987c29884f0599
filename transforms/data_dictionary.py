"""One sentence about each table and each column, for the data dictionary and for comments in a warehouse."""

from collections.abc import Mapping
from types import MappingProxyType

TABLE_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "customers": "The checked customers file: one row per customer_id, of which a person has one for each order.",
        "orders": "The checked orders file: one row per order, whatever its status.",
        "payments": "The checked payments file: one row per payment. An order may be paid in several.",
        "transactions": "The payments that count as of the run's day, with the person who made them.",
        "purchases": "What a person bought at one moment: the payments of that moment, added.",
        "rfm": "Recency, frequency and monetary value of each person who bought anything, with scores and segment.",
        "segment_history": "How long each person has been in their segment, and in which one before.",
        "segment_changes": "Each person who changed segment since the run before, is new or vanished; with the cause.",
        "customer_segments": "The cluster of each person, and its name.",
    }
)
"""What one row of each table is."""

COLUMN_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "customer_id": "Identifier of a customer within one order.",
        "customer_unique_id": "Identifier of the person, the same for all of their orders.",
        "zip_code": "First five digits of the postal code, leading zeros kept.",
        "customer_city": "City, as the source writes it.",
        "state": "State, two letters.",
        "order_id": "Identifier of the order.",
        "order_status": "Status of the order when the files were made.",
        "order_purchase_time": "When it was bought; wall-clock of the source.",
        "order_approved_at": "When the payment was approved.",
        "order_delivered_carrier_date": "When the carrier got it.",
        "order_delivered_customer_date": "When the customer got it.",
        "order_estimated_delivery_date": "When it was promised for.",
        "payment_sequential": "Number of the payment within its order, from 1.",
        "payment_type": "How it was paid.",
        "payment_installments": "How many installments were agreed on.",
        "payment_value": "What was paid; currency of the source.",
        "value": "What the purchase is worth; currency of the source.",
        "as_of": "The run's day, of which the row knows every purchase: in rfm its last second.",
        "first_purchase_time": "When the person first bought anything that counts.",
        "last_purchase_time": "When the person last bought anything.",
        "days_since_last_purchase": "Days from the last purchase to the run's day.",
        "recency_weeks": "Weeks from the last purchase to the run's day: the number of Sundays crossed.",
        "tenure_days": "Days from the first purchase to the run's day.",
        "purchase_count": "How many different moments the person bought at.",
        "average_purchase_value": "total_value / purchase_count, rounded to four decimals.",
        "total_value": "What all purchases are worth; currency of the source.",
        "recency": "recency_weeks brought to 0..5 by the score card. High is long ago.",
        "frequency": "purchase_count brought to 0..5 by the score card.",
        "monetary": "total_value / purchase_count brought to 0..5 by the score card.",
        "r_score": "Score of days_since_last_purchase, 1 to 5. 5 is the most recent.",
        "f_score": "Score of purchase_count, 1 to 5. 5 is the most frequent.",
        "m_score": "Score of total_value, 1 to 5. 5 spent most.",
        "rfm_score": "The three scores as text, such as 545.",
        "segment_code": "Code of the segment. It says nothing about the person.",
        "segment": "Name of the segment that the three scores belong to.",
        "r_band": "Which values of days_since_last_purchase have this r_score.",
        "r_to_next": "Days by which the last purchase is too old for the next better r_score. Null in the best band.",
        "f_band": "Which values of purchase_count have this f_score.",
        "f_to_next": "How many purchases are missing to the next better f_score. Null in the best band.",
        "m_band": "Which values of total_value have this m_score.",
        "m_to_next": "More than this must be spent for the next better m_score. Null in the best band.",
        "previous_segment_code": "Code of the last other segment that the person was in. Null if there was none.",
        "previous_segment": "Name of that segment.",
        "segment_since": "Day of the first run in a row that has the person in this segment.",
        "runs_in_segment": "How many runs in a row have the person in this segment, this one included.",
        "from_as_of": "Day of the run before.",
        "from_segment_code": "Code of the segment in the run before. Null for a new person.",
        "from_segment": "Name of that segment.",
        "to_segment_code": "Code of the segment in this run. Null for a person who vanished.",
        "to_segment": "Name of that segment.",
        "cause": "What brought the person there: new_customer, vanished_customer, or the last step that changed the "
        "segment: past_data, new_purchases, time_passed, cut_points, segment_map.",
        "code_after_past_data": "Code by the purchases up to the day of the run before, as this run has them.",
        "code_after_new_purchases": "Code with the later purchases too.",
        "code_after_time": "Code with days counted to this run's day, by the card of the run before.",
        "code_after_cut_points": "Code by this run's cut points, on the segment map of the run before.",
        "cluster": "Number of the cluster.",
        "distance": "Distance from the cluster's centre.",
        "cluster_name": "Name of the cluster.",
    }
)
"""A column means the same in every table that has it."""

AUDIENCES_DESCRIPTION = "The members of exported audiences, on the list and held back: one row per audience and person."

AUDIENCE_COLUMN_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "audience_id": "Identifier of the audience, as in its audience.json.",
        "campaign": "Name of the campaign. Null if none was given.",
        "run_id": "The run that the members were chosen from.",
        "as_of": "The day of that run.",
        "customer_unique_id": "Identifier of the person, the same for all of their orders.",
        "segment_code": "Code of the segment in that run. Null for a person who left.",
        "change": "In an audience of changes: came, left, moved or updated. Null in a full audience.",
        "previous_segment_code": "In an audience of changes: code of the segment in the earlier run. Null if there was "
        "none.",
        "arm": "treatment for a person on the list, control for a person who is held back.",
    }
)

FIGURE_TABLE_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "segment_figures": "The segments of the report: one row per segment.",
        "grid_figures": "The grid of the report: one row per score of recency and score of the other measure.",
        "trend_figures": "The trend of the report: one row per compared run and segment.",
        "cluster_figures": "The clusters of the report: one row per cluster; none in a run without clusters.",
        "quality_figures": "The quality of the data: one row per checked table.",
        "rule_figures": "The rules that failed: one row per table and rule.",
        "money_figures": "The money from the files to the segments: one row per stage, and one per further cause.",
    }
)
"""What one row of each table of the report's figures is."""

FIGURE_COLUMN_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "as_of": "The run's day; in trend_figures the day of the compared run.",
        "segment_code": "Code of the segment.",
        "segment": "Name of the segment.",
        "customers": "How many customers. Null where it is hidden.",
        "share_of_customers": "Share of all customers, 0 to 1. Null where it is hidden.",
        "revenue": "What these customers spent; currency of the source. Null where it is hidden.",
        "share_of_revenue": "Share of all revenue, which may be below 0 for returns. Null where it is hidden.",
        "value_per_purchase": "Revenue by the number of purchases, rounded to four decimals.",
        "days_since_last_purchase": "Mean of the days since the last purchase.",
        "customers_change": "Customers more than in the last compared run. Null where there is none, or it is hidden.",
        "is_hidden": "Whether the row is hidden, since it tells of few customers or would give others away.",
        "recency_score": "Score of days_since_last_purchase, 1 to 5. 5 is the most recent.",
        "recency": "Which days have the score; in cluster_figures the mean number of weeks since the last purchase.",
        "other_measure": "The measure across the grid: frequency or monetary.",
        "other_score": "Score of the other measure, 1 to 5. 5 is the best.",
        "other": "Which values of the other measure have the score.",
        "segments": "Names of the segments of the cell, with commas.",
        "value_per_customer": "Revenue by the number of customers, rounded to four decimals.",
        "cluster": "Number of the cluster.",
        "cluster_name": "Name of the cluster; of a hidden one, its number.",
        "frequency": "Mean number of purchases.",
        "monetary": "Mean value of a purchase; currency of the source.",
        "table_name": "Name of the checked table.",
        "rows_read": "Rows that were checked.",
        "rows_accepted": "Rows that passed.",
        "rows_quarantined": "Rows that did not pass.",
        "rows_cascaded": "Rows that would pass, but refer to a row that did not.",
        "share_quarantined": "rows_quarantined by rows_read, 0 to 1. Null where no row was read.",
        "rule": "Name of the rule.",
        "failed_rows": "Rows that failed it. Null for a rule about the table as a whole.",
        "stage_number": "Place of the stage, from 1.",
        "stage": "Name of the stage.",
        "money": "Money that arrived at the stage; currency of the source. Null in a row of a further cause.",
        "lost": "Money that did not go on from the stage before, for this cause. Null where nothing was lost.",
        "cause": "Why it did not go on. Null where nothing was lost.",
    }
)
"""A column of figures means the same in every table of figures that has it, but for what its sentence says."""
