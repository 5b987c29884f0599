"""The summary of repeat purchases by lifetimes, the package whose figures pymc-marketing took over."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data

from tests.cdnow import Purchase


def lifetimes_summary(purchases: Sequence[Purchase], as_of: datetime) -> dict[str, tuple[float, float, float, float]]:
    """frequency, recency, T and monetary_value of each customer, in days."""
    transactions = pd.DataFrame(purchases, columns=["customer", "moment", "value"]).astype({"value": float})
    summary = summary_data_from_transaction_data(
        transactions, "customer", "moment", "value", observation_period_end=as_of, freq="D"
    )
    columns = summary[["frequency", "recency", "T", "monetary_value"]]
    return {str(customer): tuple(figures) for customer, *figures in columns.itertuples()}
