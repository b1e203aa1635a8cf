--TEST--
Errors are exceptions: RuntimeException without the library, else its classes with what the core tells
--EXTENSIONS--
shoal
--FILE--
<?php
$config = shoal_config_new();
shoal_config_set($config, 'endpoint', 'static://127.0.0.1:1');
$client = shoal_client_shared($config);
try {
    shoal_get($client, 'a key', null, null);
} catch (RuntimeException $error) {
    var_dump(get_class($error), $error->getCode() === SHOAL_E_BAD_KEY);
}
try {
    shoal_get_many($client, ['k'], null);
} catch (RuntimeException $error) {
    var_dump(get_class($error), $error->getCode() === SHOAL_E_NODE_DOWN);
}
spl_autoload_register(function (string $class): void {
    echo "asked for $class\n";
    if ($class === 'Shoal\Exception\NodeDown') {
        eval('namespace Shoal\Exception; class NodeDown extends \LogicException {
            protected ?string $node = null; protected int $errno = 0; protected int $attempts = 0;
            protected bool $retriable = false; protected bool $outcomeUnknown = false; protected ?array $partial = null;
            public function all() { return get_object_vars($this); } }');
    } elseif ($class === 'Shoal\Exception\Closed') {
        throw new DomainException('the loader failed');
    }
});
try {
    shoal_get_many($client, ['k', 'l'], null);
} catch (LogicException $error) {
    $all = $error->all();
    var_dump(get_class($error), $all['node'], $all['retriable'], $all['partial']);
}
shoal_client_close($client);
shoal_client_close($client);
try {
    shoal_get($client, 'k', null, null);
} catch (RuntimeException $error) {
    var_dump($error->getMessage(), get_class($error->getPrevious()));
}
?>
--EXPECT--
string(16) "RuntimeException"
bool(true)
string(16) "RuntimeException"
bool(true)
asked for Shoal\Exception\NodeDown
string(24) "Shoal\Exception\NodeDown"
string(11) "127.0.0.1:1"
bool(true)
array(0) {
}
asked for Shoal\Exception\Closed
string(37) "the client was closed: make a new one"
string(15) "DomainException"
