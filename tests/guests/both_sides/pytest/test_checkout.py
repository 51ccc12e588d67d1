from service import Service


def test_pay():
    assert Service("checkout", "cart").run() > 0
