<?php
// Where php-memcached puts keys: getServerByKey tells it without a connection.
// Arguments: the fleets, the keys, and options as NAME=VALUE, names and values as the constants of Memcached or numbers.
// Options are set before the servers are added. See make_vectors, which calls this.

function read_lines(string $path): array {
    return array_filter(file($path, FILE_IGNORE_NEW_LINES), fn ($line) => $line[0] !== '#');
}

function refuse(string $why): never {
    fwrite(STDERR, "ask_php_memcached.php: $why\n");
    exit(1);
}

function constant_or_number(string $word): int {
    return is_numeric($word) ? (int) $word : constant("Memcached::$word");
}

function place_keys(array $nodes, array $keys, array $options): array {
    $client = new Memcached();
    foreach ($options as $option) {
        [$name, $value] = explode('=', $option);
        $client->setOption(constant_or_number($name), constant_or_number($value)) || refuse("$option was refused");
    }
    $indices = [];
    foreach ($nodes as $index => $node) {
        [$host, $port, $weight] = explode(' ', $node);
        $client->addServer($host, (int) $port, (int) $weight);
        $indices["$host $port"] = $index;
    }
    return array_map(function ($key) use ($client, $indices) {
        $server = $client->getServerByKey($key) ?: refuse("no server for $key: {$client->getResultMessage()}");
        return $indices["{$server['host']} {$server['port']}"];
    }, $keys);
}

$names = array_values(read_lines($argv[2]));
$keys = array_map('rawurldecode', $names);
$columns = [];
foreach (read_lines($argv[1]) as $line) {
    $columns[] = place_keys(array_slice(explode("\t", $line), 1), $keys, array_slice($argv, 3));
}
foreach ($names as $i => $name) {
    echo "key\t$name\t", implode(' ', array_column($columns, $i)), "\n";
}
