<?php

/**
 * Loads Shoal and the PSR-16 tests. May use: what Debian's packages have in PHP's include path. Called by phpunit.
 */

declare(strict_types=1);

require 'Psr/SimpleCache/autoload.php';
require 'Cache/IntegrationTests/autoload.php';
require getenv('SHOAL_AUTOLOAD');
