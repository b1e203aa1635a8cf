--TEST--
Handles can be neither made, copied, serialised, extended nor mixed up
--EXTENSIONS--
shoal
--FILE--
<?php
function told(callable $call): void
{
    try {
        $call();
        echo "nothing was thrown\n";
    } catch (Throwable $thrown) {
        echo get_class($thrown), ': ', $thrown->getMessage(), "\n";
    }
}

$config = shoal_config_new();
told(fn () => new Shoal\Native\Client());
told(fn () => clone $config);
told(fn () => serialize($config));
told(fn () => serialize([$config]));
told(fn () => unserialize('O:19:"Shoal\Native\Client":0:{}'));
told(fn () => unserialize('C:19:"Shoal\Native\Client":0:{}'));
told(fn () => (new ReflectionClass('Shoal\Native\Client'))->newInstanceWithoutConstructor());
told(fn () => $config->name = 'x');
told(fn () => shoal_config_set((object) [], 'endpoint', 'a:1'));
told(fn () => shoal_config_set(null, 'endpoint', 'a:1'));
told(fn () => shoal_client_shared(shoal_codec_at(0)));
told(fn () => shoal_get($config, 'k', null, null));
told(fn () => shoal_store($config, SHOAL_SET, 'k', 'v', 0, 0, null));
told(fn () => shoal_client_close($config));
shoal_config_set($config, 'endpoint', 'static://127.0.0.1:1');
shoal_config_set($config, 'on_node_failure', 'miss');
[$status, $value, $lease] = shoal_fetch_begin(shoal_client_shared($config), 'k', 0, 0, null);
var_dump($status === SHOAL_COMPUTE, $value, get_class($lease));
told(fn () => clone $lease);
told(fn () => serialize($lease));
told(fn () => shoal_lease_store($config, 'v', null));
told(fn () => shoal_lease_store($lease, 5, null));
told(fn () => shoal_lease_abandon($config));
shoal_lease_abandon($lease);
shoal_lease_abandon($lease);
foreach (preg_grep('/Swig.*shoal_client$/', get_declared_classes()) as $class) {
    told(fn () => unserialize(sprintf('O:%d:"%s":0:{}', strlen($class), $class)));
    break;
}
told(fn () => new (array_values(preg_grep('/Swig/', get_declared_classes()))[0])());
foreach (preg_grep('/^Shoal\\\\Native/', get_declared_classes()) as $class) {
    $seen = new ReflectionClass($class);
    if (!$seen->isFinal() || $seen->isInstantiable() && !in_array($class, ['Shoal\Native\Config', 'Shoal\Native\Client',
        'Shoal\Native\Topology', 'Shoal\Native\Node', 'Shoal\Native\Stats', 'Shoal\Native\Event', 'Shoal\Native\Option',
        'Shoal\Native\Preset', 'Shoal\Native\Codec', 'Shoal\Native\Packer', 'Shoal\Native\Lease'])) {
        echo "$class is open\n";
    }
}
var_dump($config == shoal_config_new(), (array) $config);
?>
--EXPECTF--
Error: Shoal\Native\Client cannot be made by new: the functions of the extension shoal make it
Error: Trying to clone an uncloneable object of class Shoal\Native\Config
Exception: Serialization of 'Shoal\Native\Config' is not allowed
Exception: Serialization of 'Shoal\Native\Config' is not allowed
Exception: Unserialization of 'Shoal\Native\Client' is not allowed
Exception: Unserialization of 'Shoal\Native\Client' is not allowed
ReflectionException: Class Shoal\Native\Client is an internal class marked as final that cannot be instantiated without invoking its constructor
Error: Cannot create dynamic property Shoal\Native\Config::$name
TypeError: a Shoal\Native\Config is expected, not stdClass
TypeError: a Shoal\Native\Config is expected, not null
TypeError: a Shoal\Native\Config is expected, not Shoal\Native\Codec
TypeError: a Shoal\Native\Client is expected, not Shoal\Native\Config
TypeError: a Shoal\Native\Client is expected, not Shoal\Native\Config
TypeError: a Shoal\Native\Client is expected, not Shoal\Native\Config
bool(true)
NULL
string(18) "Shoal\Native\Lease"
Error: Trying to clone an uncloneable object of class Shoal\Native\Lease
Exception: Serialization of 'Shoal\Native\Lease' is not allowed
TypeError: a Shoal\Native\Lease is expected, not Shoal\Native\Config
TypeError: the codec raw carries strings, not int: encode the value, or give the client the codec php or json
TypeError: a Shoal\Native\Lease is expected, not Shoal\Native\Config
Exception: Unserialization of 'Shoal\Native\Swig\SWIG\%s' is not allowed
Error: Cannot instantiate abstract class Shoal\Native\Swig\shoal
bool(false)
array(0) {
}
