package shop;

public final class CartTest {
    public void addsAnItem() throws Exception {
        new Service("cart", "checkout").run();
    }
}
