<?php

/**
 * Symfony's tests of cache adapters, on the Symfony that is installed: what is run, and what is left out.
 *
 * They are AdapterTestCase, which has the tests of PSR-6 in it, the same with tags, and PSR-16 by Symfony's Psr16Cache,
 * from the source package of php-symfony-cache. May use: nothing. Read by phpunit_suite.php.
 */

declare(strict_types=1);

const NO_PREFIX = 'no store on memcached can clear by a prefix';
const NO_PRUNING = 'memcached forgets by itself what has expired: there is nothing to prune';
const BY_DEBIAN = "Debian's patch takes it out from Symfony 6.4 on: its autoloader misses a class, which ShoalAdapter loads";
const CLASSES = ['AdapterSuiteTest', 'TagAwareSuiteTest', 'Psr16SuiteTest'];

/** @return array<string, string> the tests in each of the classes */
function in_each_class(array $tests): array
{
    $named = [];
    foreach (CLASSES as $class) {
        foreach ($tests as $test => $reason) {
            $named["$class::$test"] = $reason;
        }
    }

    return $named;
}

return [
    'title' => 'Symfony on Shoal\Symfony\ShoalAdapter',
    'bootstrap' => __DIR__ . '/bootstrap.php',
    'files' => array_map(static fn (string $class): string => __DIR__ . "/$class.php", CLASSES),
    'left_out' => in_each_class([
        'testClearPrefix' => NO_PREFIX,
        'testClearPrefixWithUnderscore' => NO_PREFIX,
        'testClearWithInvalidPrefix' => NO_PREFIX,
        'testPrune' => NO_PRUNING,
    ]),
    // In Debian 12 they run.
    'skipped' => in_each_class([
        'testNullByteInKey' => BY_DEBIAN,
        'testNumericKeysWorkAfterMemoryLeakPrevention' => BY_DEBIAN,
        'testGetMetadata' => BY_DEBIAN,
        'testInvalidateTags' => BY_DEBIAN,
        'testInvalidateCommits' => BY_DEBIAN,
        'testTagsAreCleanedOnSave' => BY_DEBIAN,
        'testTagsAreCleanedOnDelete' => BY_DEBIAN,
        'testTagItemExpiry' => BY_DEBIAN,
        'testRefreshAfterExpires' => BY_DEBIAN,
    ]),
    // Items of two seconds, read after one.
    'short_lived' => array_keys(in_each_class(['testDefaultLifeTime' => '', 'testExpiration' => ''])),
    'fewest' => 450,
];
