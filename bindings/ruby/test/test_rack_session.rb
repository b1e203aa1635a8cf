# frozen_string_literal: true

# Rack's sessions on the gem, under Rack's own mock of a server.
# May require: support, and Rack.
require "support"
begin
  require "rack"
  require "rack/session/shoal"
rescue LoadError
  puts "Rack is not installed: its sessions are not tested"
  return
end

class RackSessionTest < FleetTest
  APPLICATION = lambda do |env|
    session = env["rack.session"]
    case env["PATH_INFO"]
    when "/write" then session["user"] = "Ada"
    when "/renew" then env["rack.session.options"][:renew] = true
    when "/destroy" then session.destroy
    end
    [200, {}, [session["user"].inspect]]
  end

  def setup
    super
    @cookie = nil
    @cache = client(codec: :marshal, key_prefix: "session:")
  end

  # The answer to a request of one browser, which keeps its cookie.
  def request(path, cache: @cache, **options)
    application = Rack::Session::Shoal.new(APPLICATION, cache: cache, **options)
    answer = Rack::MockRequest.new(application).get(path, { "HTTP_COOKIE" => @cookie }.compact)
    @cookie = answer["set-cookie"][/\A[^;]+/] if answer["set-cookie"]
    answer
  end

  def body(...)
    request(...).body
  end

  def test_another_request_reads_what_one_wrote
    [@cache, client(codec: :json, key_prefix: "json:")].each do |cache|
      @cookie = nil
      assert_equal '"Ada"', body("/write", cache: cache)
      assert_equal '"Ada"', body("/read", cache: cache)
      @cookie = nil
      assert_equal "nil", body("/read", cache: cache)
    end
  end

  # What the fleet has under the cookie's id.
  def stored
    @cache.get(Rack::Session::SessionId.new(@cookie[/\h{32,}/]).private_id)
  end

  def test_the_cookies_id_is_no_key
    request("/write")
    assert_nil @cache.get(@cookie[/\h{32,}/])
    assert_equal({ "user" => "Ada" }, stored)
  end

  def test_an_id_that_nobody_gave_is_not_taken
    @cookie = "rack.session=#{"0" * 64}"
    request("/write")
    refute_includes @cookie, "0" * 64
  end

  def test_destroyed_and_renewed
    request("/write")
    old = @cookie
    assert_equal '"Ada"', body("/renew")
    refute_equal old, @cookie
    assert_equal '"Ada"', body("/read")
    renewed = @cookie
    request("/destroy")
    [old, renewed].each do |cookie|
      @cookie = cookie
      assert_equal "nil", body("/read")
    end
  end

  def test_it_expires_with_its_cookie
    request("/write", expire_after: 1)
    assert(eventually { stored.nil? })
    assert_equal "nil", body("/read", expire_after: 3600)
    assert_match(/expires=/i, request("/write", expire_after: 3600)["set-cookie"])
    sleep 2.1
    assert_equal '"Ada"', body("/read", expire_after: 3600)
  end

  def test_a_dead_fleet_gives_an_empty_session_and_takes_none
    request("/write")
    cookie = @cookie
    dead = Shoal::Client.new("static://127.0.0.1:#{free_port}", codec: :marshal, operation_timeout_ms: 300)
    answer = request("/read", cache: dead)
    assert_equal "nil", answer.body
    assert_match(/Rack::Session::Shoal: .*127\.0\.0\.1/, answer.errors)
    assert_equal '"Ada"', body("/write", cache: dead)
    assert_equal cookie, @cookie
    assert_equal '"Ada"', body("/read")
    assert_raises(Shoal::Error) { request("/destroy", cache: dead) }
  end
end
