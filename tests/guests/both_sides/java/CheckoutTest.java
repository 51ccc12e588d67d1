package shop;

public final class CheckoutTest {
    public void takesTheMoney() throws Exception {
        new Service("checkout", "cart").run();
    }
}
