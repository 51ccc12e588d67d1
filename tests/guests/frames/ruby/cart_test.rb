# A suite whose tests share a helper: minitest calls the tests.
require "minitest/autorun"
require_relative "helper"

class CartTest < Minitest::Test
  def setup
    @server = Helper.server(0) # called setup
  end

  def teardown
    @server.close
  end

  def test_add
    assert_nil Helper.server(0).close # called test_add
  end

  def test_pay
    assert_raises(Errno::EADDRINUSE) { Helper.server(@server.addr[1]) } # called test_pay
  end
end
