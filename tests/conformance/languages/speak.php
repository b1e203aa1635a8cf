<?php

/**
 * Does what compare.py asks for, by PHP's client; speak.py tells the arguments and the lines.
 *
 * May use: Shoal.
 */

declare(strict_types=1);

require getenv('SHOAL_AUTOLOAD');

[, $endpoint, $preset] = $argv;
$client = new Shoal\Client($endpoint, $preset === '' ? [] : ['preset' => $preset]);
while (($line = fgets(STDIN)) !== false) {
    [$verb, $key, $value] = explode(' ', rtrim($line, "\n")) + [2 => ''];
    [$key, $value] = [hex2bin($key), hex2bin($value)];
    if ($verb === 'route') {
        $answer = $client->route($key);
    } elseif ($verb === 'get') {
        $found = $client->get($key);
        $answer = $found === null ? 'missing' : bin2hex($found);
    } else {
        $client->set($key, $value);
        $answer = 'stored';
    }
    echo $answer, "\n";
}
