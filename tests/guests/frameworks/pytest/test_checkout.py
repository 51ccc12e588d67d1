def test_pay(serve):
    serve("checkout", "cart", first=False)
