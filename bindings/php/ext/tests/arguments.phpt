--TEST--
Nothing is coerced or cut: keys, texts, numbers, codecs, and how many there are
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
shoal_config_set($config, 'endpoint', 'static://127.0.0.1:1');
$client = shoal_client_shared($config);
told(fn () => shoal_get($client, 5, null, null));
told(fn () => shoal_delete($client, null));
told(fn () => shoal_config_set($config, "end\0point", 'a:1'));
told(fn () => shoal_config_set($config, 5, 'a:1'));
told(fn () => shoal_config_set($config, 'key_prefix', 5.5));
told(fn () => shoal_option_at(-1));
told(fn () => shoal_option_at('0'));
told(fn () => shoal_option_at(1.0));
told(fn () => shoal_touch($client, 'k', '5'));
told(fn () => shoal_increment($client, 'k', 1, -1, 0));
told(fn () => shoal_increment($client, 'k', 1, [], 0));
told(fn () => shoal_store($client, 1 << 40, 'k', 'v', 0, 0, null));
told(fn () => shoal_get_many($client, 'k', null));
told(fn () => shoal_set_many($client, null, 0, null));
told(fn () => shoal_set_many($client, ['k' => 5], 0, null));
told(fn () => shoal_store($client, SHOAL_SET, 'k', 'v', 0, 0, new stdClass()));
told(fn () => shoal_packer_new(shoal_codec_find('json'), 'pickle', 0, 0));
told(fn () => shoal_get($client));
told(fn () => shoal_get($client, 'k', null, null, 5));
var_dump(shoal_option_at(shoal_option_count()), shoal_option_find(null), shoal_codec_find('no such'),
    shoal_option_name(shoal_option_at(0)), shoal_config_get($config, 'endpoint'), shoal_kind_name(3),
    shoal_codec_carries(shoal_codec_find('php'), SHOAL_KIND_DOUBLE));
?>
--EXPECTF--
TypeError: a key is a string, not int
TypeError: a key is a string, not null
ValueError: a NUL byte may not stand in this text
TypeError: a string or null is expected, not int
TypeError: a string or null is expected, not float
ValueError: a number from 0 to 9223372036854775807 is expected, not -1
TypeError: an int is expected, not string
TypeError: an int is expected, not float
TypeError: an int is expected, not string
ValueError: a number from 0 to 18446744073709551615 is expected
TypeError: an int, or a string of digits, is expected, not array
ValueError: a number from -2147483648 to 2147483647 is expected, not 1099511627776
TypeError: an array is expected, not string
TypeError: an array is expected, not null
TypeError: the codec raw carries strings, not int: encode the value, or give the client the codec php or json
TypeError: a codec is null, a Shoal\Native\Packer, or an object with encode and decode, not stdClass
ValueError: there is no serializer of this name: php, igbinary, msgpack, json and json_array are known
ArgumentCountError: Wrong parameter count for shoal_get()
ArgumentCountError: Wrong parameter count for shoal_get()
NULL
NULL
NULL
string(8) "endpoint"
string(20) "static://127.0.0.1:1"
string(7) "integer"
int(1)
