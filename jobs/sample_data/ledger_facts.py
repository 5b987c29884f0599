"""What a drawn bank is like: days, shares and amounts of its transactions, and the files beside them. All invented."""

from datetime import date

DEFAULT_ROWS, MOST_ROWS = 1_000_000, 1_000_000_000
DEFAULT_HEAVIEST, MOST_HEAVIEST = 0.01, 0.5
"""The share of all rows that belongs to the heaviest customer."""

FIRST_DAY, LAST_DAY = date(2014, 10, 18), date(2018, 10, 17)
BUSY_DAYS, BUSY_WEIGHT = 2, 3
"""The first and the last two days of a month have three times the transactions of any other: salaries and rents."""

ROWS_PER_CUSTOMER = 200
"""The mean over all customers but the heaviest."""
COHORTS, ACTIVE_SHARE = 20, 0.6
"""Customers come and go. At any time 60 % of the cohorts are active; others have left, or are still to come."""
LEAST_DENSITY = 0.2
"""Among customers of a cohort, those with most rows have five times the mean: its inverse."""

REFUNDS, REVERSALS, FEES, TRANSFERS = 0.02, 0.003, 0.03, 0.25
"""Shares of the kinds, the last among purchases; cards pay all others."""
DAYS_UNTIL_RETURNED = 20
"""The mean time from a transaction to the one that takes it back; the longest is about twice that."""

PENDING = 0.01
CHANNEL_SHARES = {"ONLINE": 0.40, "ATM": 0.10, "BRANCH": 0.05}
"""All others (45 %) are at a point of sale."""
CURRENCY_SHARES = {"USD": 0.06, "GBP": 0.04, "CHF": 0.03, "BRL": 0.02}
"""All others (85 %) are in euros."""

MEDIAN_AMOUNTS = {"USD": 34.0, "GBP": 26.0, "CHF": 33.0, "BRL": 120.0, "EUR": 30.0}
SIGMA_OF_LOG_AMOUNT, HIGHEST_AMOUNT = 1.2, 50_000.0
FEE_OF_PURCHASE = 0.1
"""What a fee is to a purchase of the same draw."""

RATES = {"USD": 0.86, "GBP": 1.16, "CHF": 0.92, "BRL": 0.27}
"""Euros for one unit, about which the drawn rates move."""

MAPPING = """\
# The mapping of the transactions beside this file, for --source ledger --mapping.
customer_id_col: account_id
datetime_col: booked_at
monetary_value_col: amount
transaction_id_col: transaction_id
status_col: status
type_col: kind
channel_col: channel
currency_col: currency

# Returns and reversals have negative amounts.
sign: purchases positive
types:
  purchase: [CARD, TRANSFER]
  return: [REFUND]
  reversal: [REVERSAL]
  fee: [FEE]
returns: net
currency: EUR
rates: rates.csv
keep: {status: [BOOKED]}

# Folders are named by the last day of their month.
partitioned_by: until
"""
