"""Counts and shares of Olist's data set, which a sample reproduces. They are aggregates: no row of the data is here."""

from datetime import UTC, datetime

ORDERS_OF_OLIST = 99_441
PEOPLE_BY_ORDER_COUNT = {2: 2_745, 3: 203, 4: 30, 5: 8, 6: 6, 7: 3, 9: 1, 17: 1}
"""By number of orders, how many of Olist's 96,096 people placed that many; all others placed one."""

FIRST_PURCHASE = datetime(2016, 9, 4, 21, 15, 19, tzinfo=UTC)
LAST_PURCHASE = datetime(2018, 10, 17, 17, 30, 18, tzinfo=UTC)
MONTHLY_SHARES = {
    (2016, 9): 0.0001, (2016, 10): 0.0032, (2016, 12): 0.0001,
    (2017, 1): 0.008, (2017, 2): 0.018, (2017, 3): 0.027, (2017, 4): 0.024, (2017, 5): 0.037, (2017, 6): 0.033,
    (2017, 7): 0.041, (2017, 8): 0.043, (2017, 9): 0.043, (2017, 10): 0.047, (2017, 11): 0.075, (2017, 12): 0.057,
    (2018, 1): 0.073, (2018, 2): 0.068, (2018, 3): 0.073, (2018, 4): 0.070, (2018, 5): 0.069, (2018, 6): 0.062,
    (2018, 7): 0.063, (2018, 8): 0.0653, (2018, 9): 0.0002,
}  # fmt: skip
"""Growth through 2017, with November as the best month, then a plateau in 2018; the rest falls in 2018-10."""

STATUS_SHARES = {
    "shipped": 0.0111, "canceled": 0.0063, "unavailable": 0.0061, "invoiced": 0.0032, "processing": 0.0030,
    "created": 0.00005, "approved": 0.00002,
}  # fmt: skip
"""All other orders (97 %) are delivered."""

PAYMENT_ROW_SHARES = {2: 0.0239, 3: 0.0030, 4: 0.0011, 5: 0.0005, 6: 0.0004, 7: 0.0002, 8: 0.0001, 12: 0.0005}
"""All other orders (97 %) are paid in one row. One order has `MOST_PAYMENT_ROWS`, one has none."""
MOST_PAYMENT_ROWS = 29

FIRST_TYPE_SHARES = {"boleto": 0.1985, "voucher": 0.0205, "debit_card": 0.0156, "not_defined": 0.00003}
"""Payment types of an order's first row; all others (77 %) are paid by credit card."""

MEDIAN_PAYMENT, SIGMA_OF_LOG_PAYMENT, HIGHEST_PAYMENT = 100.0, 0.93, 13_664.08

# Weight, city, state, first and last zip code prefix: a few towns for Olist's 4,119, in all 27 states. Olist's own
# files have accents, apostrophes and commas too.
CITIES = (
    (160, "sao paulo", "SP", 1001, 8499),
    (70, "rio de janeiro", "RJ", 20010, 23799),
    (40, "ribeirão preto", "SP", 14010, 14114),
    (38, "santos", "SP", 11010, 11099),
    (36, "são josé dos campos", "SP", 12210, 12249),
    (32, "uberlândia", "MG", 38400, 38415),
    (30, "santo andré", "SP", 9010, 9299),
    (30, "niterói", "RJ", 24020, 24399),
    (28, "belo horizonte", "MG", 30110, 31999),
    (28, "mogi das cruzes", "SP", 8700, 8899),
    (25, "caxias do sul", "RS", 95010, 95124),
    (25, "juiz de fora", "MG", 36010, 36099),
    (24, "maringá", "PR", 87010, 87099),
    (21, "brasilia", "DF", 70040, 73499),
    (20, "florianópolis", "SC", 88010, 88099),
    (15, "curitiba", "PR", 80010, 82999),
    (14, "campinas", "SP", 13010, 13149),
    (14, "porto alegre", "RS", 90010, 91999),
    (13, "salvador", "BA", 40010, 42599),
    (12, "goiânia", "GO", 74010, 74999),
    (12, "vitória", "ES", 29010, 29099),
    (11, "recife", "PE", 50010, 52999),
    (10, "fortaleza", "CE", 60010, 61599),
    (10, "santa bárbara d'oeste", "SP", 13450, 13459),
    (8, "belém", "PA", 66010, 66999),
    (6, "são luís", "MA", 65010, 65109),
    (6, "cuiabá", "MT", 78005, 78109),
    (5, "campo grande", "MS", 79002, 79124),
    (4, "joão pessoa", "PB", 58010, 58099),
    (4, "natal", "RN", 59010, 59149),
    (4, "teresina", "PI", 64000, 64099),
    (3, "maceió", "AL", 57010, 57099),
    (3, "aracaju", "SE", 49010, 49099),
    (3, "palmas", "TO", 77001, 77249),
    (2, "porto velho", "RO", 76801, 76834),
    (2, "manaus", "AM", 69005, 69099),
    (2, "arraial d'ajuda, porto seguro", "BA", 45816, 45816),
    (1, "rio branco", "AC", 69900, 69924),
    (1, "macapá", "AP", 68900, 68914),
    (1, "boa vista", "RR", 69301, 69339),
)

# Orders with fixed values, so that even a small sample has the extremes of the real data.
FIRST_ORDER, LAST_ORDER, ORDER_WITHOUT_PAYMENT, ORDER_OF_MOST_ROWS, ORDER_OF_HIGHEST_PAYMENT = range(5)
