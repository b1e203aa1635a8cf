--TEST--
Handles hold what they need, in any order, in cycles, and while PHP ends
--EXTENSIONS--
shoal
--FILE--
<?php
function client(string $endpoint)
{
    $config = shoal_config_new();
    shoal_config_set($config, 'endpoint', $endpoint);
    return shoal_client_shared($config);
}

$client = client('static://127.0.0.1:1,127.0.0.1:2');
$topology = shoal_client_topology($client);
$node = shoal_topology_node_at($topology, 1);
$twice = shoal_topology_node_at($topology, 1);
var_dump(shoal_topology_node_at($topology, 2));
unset($topology, $client, $twice);
gc_collect_cycles();
var_dump(shoal_node_name($node), shoal_node_port($node));

final class Holder
{
    public $client;
    public $itself;

    public function __destruct()
    {
        echo shoal_node_host(shoal_route($this->client, 'k')), "\n";
    }
}

$holder = new Holder();
$holder->client = client('static://127.0.0.1:1');
$holder->itself = $holder;
unset($holder);
var_dump(gc_collect_cycles() > 0);

$GLOBALS['last'] = new Holder();
$GLOBALS['last']->client = client('static://127.0.0.1:1');
$GLOBALS['last']->itself = $GLOBALS['last'];
register_shutdown_function(function () {
    echo "ends\n";
});
exit(0);
?>
--EXPECT--
NULL
string(11) "127.0.0.1:2"
int(2)
127.0.0.1
bool(true)
ends
127.0.0.1
