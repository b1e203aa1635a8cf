<?php
/* php-memcached as make_codec_vectors.py asks for it: writes values of every kind, with each of its serialisers and
 * compressions, or checks what it reads. Arguments: write or check, the port. */
ini_set('memcached.compression_threshold', '100');
$client = new Memcached();
$client->addServer('127.0.0.1', (int)$argv[2]);

$serializers = [
    'php' => [Memcached::SERIALIZER_PHP, 'serialize', 'unserialize'],
    'igbinary' => [Memcached::SERIALIZER_IGBINARY, 'igbinary_serialize', 'igbinary_unserialize'],
    'json' => [Memcached::SERIALIZER_JSON_ARRAY, 'json_encode', fn($text) => json_decode($text, true)],
    'msgpack' => [Memcached::SERIALIZER_MSGPACK, 'msgpack_serialize', 'msgpack_unserialize'],
];

function tell(string $name, string $kind, string $plain, int $userFlags = 0): void
{
    echo "php-memcached $name $kind $userFlags ", $plain === '' ? '-' : $plain, "\n";
}

function write(Memcached $client, string $name, string $kind, $value, string $plain, int $userFlags = 0): void
{
    $client->setOption(Memcached::OPT_USER_FLAGS, $userFlags);
    if (!$client->set($name, $value)) {
        fwrite(STDERR, "$name: " . $client->getResultMessage() . "\n");
        exit(1);
    }
    tell($name, $kind, $plain, $userFlags);
}

function writeScalars(Memcached $client): void
{
    write($client, 'string', 'bytes', "\0\xff bytes", bin2hex("\0\xff bytes"));
    write($client, 'string-empty', 'bytes', '', '');
    write($client, 'string-flags', 'bytes', 'user', bin2hex('user'), 0xbeef);
    foreach (['zero' => 0, 'negative' => -7, 'least' => PHP_INT_MIN, 'most' => PHP_INT_MAX] as $name => $value) {
        write($client, "long-$name", 'integer', $value, bin2hex((string)$value));
    }
    foreach (['half' => [1.5, '1.5'], 'whole' => [-2.0, '-2'], 'large' => [1e100, null], 'tiny' => [1e-7, null],
              'third' => [1 / 3, null], 'infinity' => [INF, 'Infinity'], 'less' => [-INF, '-Infinity'],
              'nan' => [NAN, 'NaN']] as $name => [$value, $text]) {
        // How many digits it writes of the others is the client's matter: `=` asks for what it stored.
        write($client, "double-$name", 'double', $value, $text === null ? '=' : bin2hex($text));
    }
    write($client, 'true', 'bool', true, bin2hex('1'), 7);
    write($client, 'false', 'bool', false, bin2hex('0'));
    $client->set('counted-down', 10);
    $client->decrement('counted-down');
    tell('counted-down', 'integer', bin2hex('9'));
}

function writeSerialized(Memcached $client, array $serializers): void
{
    $values = ['array' => ['a' => [1, 2.5, null], 'b' => 'c'],
               'array-long' => array_merge(array_fill(0, 20, 'an element that repeats'), range(1, 50))];
    foreach ($serializers as $kind => [$option, $serialize]) {
        $client->setOption(Memcached::OPT_SERIALIZER, $option);
        foreach ($values as $name => $value) {
            write($client, "$kind-$name", $kind, $value, bin2hex($serialize($value)));
        }
        write($client, "$kind-null", $kind, null, bin2hex($serialize(null)));
    }
}

/* One string a compression and level: FastLZ takes its second level from 64 KiB on, with distances over 8 KiB. */
function writeCompressed(Memcached $client): void
{
    $noise = '';
    for ($i = 0; $i < 40; $i++) {
        $noise .= md5("noise $i", true);
    }
    $strings = [
        'short' => [['bytes that repeat ', 30]],
        'run' => [['a', 5000]],
        'mixed' => [[substr($noise, 0, 90), 3], ['x', 400], [substr($noise, 90, 200), 2], ['yz', 300]],
        'far' => [[$noise, 1], ['a', 20000], [$noise, 1], ['bc', 30000], [$noise, 1], [substr($noise, 0, 50), 3]],
    ];
    foreach (['zlib' => Memcached::COMPRESSION_ZLIB, 'fastlz' => Memcached::COMPRESSION_FASTLZ] as $type => $option) {
        $client->setOption(Memcached::OPT_COMPRESSION_TYPE, $option);
        foreach ($strings as $name => $pieces) {
            $whole = implode('', array_map(fn($piece) => str_repeat($piece[0], $piece[1]), $pieces));
            $short = implode('+', array_map(fn($piece) => bin2hex($piece[0]) . '*' . $piece[1], $pieces));
            write($client, "$type-$name", 'bytes', $whole, $short, $name === 'run' ? 0xffff : 0);
        }
    }
}

function check(Memcached $client, array $serializers): void
{
    $lines = file('php://stdin');
    foreach ($lines as $line) {
        [, $name, $kind, $plain] = explode(' ', trim($line));
        $plain = $plain === '-' ? '' : hex2bin($plain);
        $client->setOption(Memcached::OPT_SERIALIZER, $serializers[$kind][0] ?? Memcached::SERIALIZER_PHP);
        $got = $client->get($name);
        $wanted = match ($kind) {
            'bytes' => $plain,
            'integer' => (int)$plain,
            'double' => ['Infinity' => INF, '-Infinity' => -INF, 'NaN' => NAN][$plain] ?? (float)$plain,
            'bool' => $plain === '1',
            default => $serializers[$kind][2]($plain),
        };
        $same = $got === $wanted || (is_float($wanted) && is_nan($wanted) && is_float($got) && is_nan($got));
        if (!$same || $client->getResultCode() !== Memcached::RES_SUCCESS) {
            echo "$name: ", var_export($got, true), ', ', $client->getResultMessage(), "\n";
            exit(1);
        }
    }
    echo count($lines), "\n";
}

if ($argv[1] === 'write') {
    echo 'php-memcached ', phpversion('memcached'), ', igbinary ', phpversion('igbinary'), ', msgpack ',
        phpversion('msgpack'), "\n";
    writeScalars($client);
    writeSerialized($client, $serializers);
    writeCompressed($client);
} else {
    check($client, $serializers);
}
