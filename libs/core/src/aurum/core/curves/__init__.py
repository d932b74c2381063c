"""Forward curves: products, delivery calendars, periods, quotes, strips, builds and shapes. Pure.

A *curve* is the quotes of one product on one trade date, as known at an instant. Delivery is counted in the delivery days of
the product's own calendar, never in the days of a market on the side of series.
"""
