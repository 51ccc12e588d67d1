from service import Service


def test_add():
    assert Service("cart", "checkout").run() > 0
