"""Training and measuring of zhengling's models; needs the ``train`` extra."""
