<?php

/**
 * Laravel's tests that touch a store on memcached, of locks and tags, and PSR-16 on Laravel's Repository.
 *
 * The Laravel is the one that is installed, the tests are from its source package. May use: nothing. Read by
 * phpunit_suite.php.
 */

declare(strict_types=1);

const NO_CHECKS = "Laravel's Repository passes on what it is given: it checks neither keys nor lifetimes";
const INTS = "Laravel's Repository gives an array, in which PHP makes an int of a key such as '5'";
const NOT_THERE = "Laravel's Repository tells of a key that was not there with false";

return [
    'title' => 'Laravel on Shoal\Laravel\ShoalStore',
    'bootstrap' => __DIR__ . '/bootstrap.php',
    'files' => [__DIR__ . '/LockSuiteTest.php', __DIR__ . '/TagSuiteTest.php', __DIR__ . '/Psr16SuiteTest.php'],
    'left_out' => [
        'Psr16SuiteTest::testGetInvalidKeys' => NO_CHECKS,
        'Psr16SuiteTest::testGetMultipleInvalidKeys' => NO_CHECKS,
        'Psr16SuiteTest::testGetMultipleNoIterable' => NO_CHECKS,
        'Psr16SuiteTest::testSetInvalidKeys' => NO_CHECKS,
        'Psr16SuiteTest::testSetMultipleInvalidKeys' => NO_CHECKS,
        'Psr16SuiteTest::testSetMultipleNoIterable' => NO_CHECKS,
        'Psr16SuiteTest::testHasInvalidKeys' => NO_CHECKS,
        'Psr16SuiteTest::testDeleteInvalidKeys' => NO_CHECKS,
        'Psr16SuiteTest::testDeleteMultipleInvalidKeys' => NO_CHECKS,
        'Psr16SuiteTest::testDeleteMultipleNoIterable' => NO_CHECKS,
        'Psr16SuiteTest::testSetInvalidTtl' => NO_CHECKS,
        'Psr16SuiteTest::testSetMultipleInvalidTtl' => NO_CHECKS,
        // Debian 14's.
        'Psr16SuiteTest::testGetInvalidKeyTypes' => NO_CHECKS,
        'Psr16SuiteTest::testGetMultipleInvalidKeyTypes' => NO_CHECKS,
        'Psr16SuiteTest::testGetMultipleNonIterable' => NO_CHECKS,
        'Psr16SuiteTest::testSetInvalidKeyTypes' => NO_CHECKS,
        'Psr16SuiteTest::testSetMultipleInvalidKeyTypes' => NO_CHECKS,
        'Psr16SuiteTest::testSetMultipleNonIterable' => NO_CHECKS,
        'Psr16SuiteTest::testHasInvalidKeyTypes' => NO_CHECKS,
        'Psr16SuiteTest::testDeleteInvalidKeyTypes' => NO_CHECKS,
        'Psr16SuiteTest::testDeleteMultipleInvalidKeyTypes' => NO_CHECKS,
        'Psr16SuiteTest::testDeleteMultipleNonIterable' => NO_CHECKS,
        'Psr16SuiteTest::testGetMultiplePreservesNumericStringKeys' => INTS,
        'Psr16SuiteTest::testDelete' => NOT_THERE,
        'Psr16SuiteTest::testDeleteMultiple' => NOT_THERE,
        'Psr16SuiteTest::testDeleteMultipleGenerator' => NOT_THERE,
    ],
    // Items of two seconds, tags and all.
    'short_lived' => ['TagSuiteTest::testMemcachedCanStoreAndRetrieveTaggedCacheItems',
        'TagSuiteTest::testMemcachedCanStoreManyTaggedCacheItems'],
    'fewest' => 45,
];
