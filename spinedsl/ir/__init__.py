"""Networks on their way from text to values: names bound (`resolve`), then every definition expanded (`elaborate`)."""
