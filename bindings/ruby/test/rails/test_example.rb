# frozen_string_literal: true

# The example application is served, and goes on being served when a node dies and when the fleet changes.
# May require: the standard library and support.
require "support"
require "json"
require "net/http"

class ExampleTest < Minitest::Test
  EXAMPLE = File.expand_path("../../examples/config.ru", __dir__)

  def setup
    skip "puma is not installed" unless system("puma", "--version", out: File::NULL, err: File::NULL)
    skip "SHOAL_BUILD names no build with the command shoal" unless File.file?(SHOAL)
    @processes = []
    @folder = Dir.mktmpdir
    @fleet = LocalFleet.new(3)
    @site = URI("http://127.0.0.1:#{free_port}/")
    start({ "SHOAL_ENDPOINT" => "elasticache://#{@fleet.endpoint}" }, "puma", "-b", "tcp://#{@site.host}:#{@site.port}",
          EXAMPLE, chdir: @folder, out: File::NULL, err: "#{@folder}/log")
    assert eventually(60) { answers?(@site.port) }, "the example does not answer"
  end

  def teardown
    @processes&.reverse_each do |process|
      Process.kill(:TERM, process)
      Process.kill(:KILL, process) unless eventually(20) { Process.wait(process, Process::WNOHANG) }
    end
    @fleet&.stop
    FileUtils.rm_rf(@folder) if @folder
  end

  # A process that ends with the test.
  def start(*command, **options)
    @processes << spawn(*command.grep(Hash), *ENDS_WITH_US, *command.grep(String), **options)
  end

  # The page, by the first words of its lines.
  def page
    answer = Net::HTTP.get_response(@site)
    assert_equal "200", answer.code, answer.body
    answer.body.lines(chomp: true).to_h { |line| line.split(/\s{2,}/, 2) }
  end

  # How many articles came from the cache.
  def articles
    page["articles"].to_i
  end

  # How many nodes the page names.
  def nodes
    page["fleet"].split.size - 2
  end

  def test_the_page_while_nodes_come_and_go
    assert(eventually { articles == 100 })
    assert_equal page["report"], page["report"]
    assert_equal page["hits"].to_i + 1, page["hits"].to_i
    assert_equal 3, nodes

    node = JSON.parse(@fleet.change("list", "--json"))["nodes"].first
    Process.kill(:KILL, node["pid"])
    5.times { assert_operator articles, :<, 100 }
    @fleet.change("remove", node["port"].to_s)
    assert(eventually(30) { articles == 100 })
    assert_equal 2, nodes

    @fleet.change("add")
    assert(eventually(30) { nodes == 3 })
    assert(eventually(30) { articles == 100 })
    assert_match(/^Shoal: version 1: 3 nodes.*^Shoal: version 2: 2 nodes/m, File.read("#{@folder}/log"))
  end
end
