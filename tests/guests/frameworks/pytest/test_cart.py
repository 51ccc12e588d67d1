def test_add(serve):
    serve("cart", "checkout", first=True)


def test_total():
    assert 2 + 2 == 4
