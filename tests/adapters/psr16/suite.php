<?php

/**
 * The PSR-16 tests of Debian's php-cache-integration-tests: none is left out.
 *
 * They are in the binary package, so that no source is fetched. May use: nothing. Read by phpunit_suite.php.
 */

declare(strict_types=1);

return [
    'title' => 'PSR-16 on Shoal\SimpleCache',
    'bootstrap' => __DIR__ . '/bootstrap.php',
    'files' => [__DIR__ . '/SimpleCacheSuiteTest.php', __DIR__ . '/NamespacedSuiteTest.php'],
    'left_out' => [],
    'fewest' => 350,
];
