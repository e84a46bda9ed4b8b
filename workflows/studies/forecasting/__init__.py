"""The forecasting study: DeepAR on a household's daily power, beside free baselines, over windows that no model was trained on."""
