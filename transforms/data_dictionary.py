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
        "cluster": "Number of the cluster.",
        "distance": "Distance from the cluster's centre.",
        "cluster_name": "Name of the cluster.",
    }
)
"""A column means the same in every table that has it."""
