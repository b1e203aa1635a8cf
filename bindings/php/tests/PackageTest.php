<?php

/**
 * The extension is built by phpize from its tarball, by one who has no SWIG, and from the tree; all PHP is in order.
 *
 * SHOAL_SOURCE names the tree and SHOAL_BUILD a build, whose library is installed first. May use: PHPUnit, phpize, composer.
 */

declare(strict_types=1);

namespace Shoal\Tests;

use PHPUnit\Framework\TestCase;

final class PackageTest extends TestCase
{
    private string $scratch;

    /** @var array<string, string> */
    private array $environment;

    protected function setUp(): void
    {
        $this->scratch = sys_get_temp_dir() . '/shoal-package-' . getmypid() . '-' . bin2hex(random_bytes(4));
        mkdir($this->scratch, 0700);
        $this->environment = getenv();
    }

    protected function tearDown(): void
    {
        $this->execute('/', 'rm', '-rf', $this->scratch);
    }

    private function execute(string $folder, string ...$command): string
    {
        $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w'], ['redirect', 1]], $pipes, $folder,
            $this->environment);
        $output = stream_get_contents($pipes[1]);
        self::assertSame(0, proc_close($process), implode(' ', $command) . "\n$output");

        return $output;
    }

    private static function folder(string $name): string
    {
        $folder = getenv($name);
        if ($folder === false) {
            self::markTestSkipped("$name names no folder");
        }

        return $folder;
    }

    /** Builds what lies in a folder against the installed library, runs its tests and uses it. */
    private function build(string $folder): void
    {
        $this->execute('/', 'cmake', '--install', self::folder('SHOAL_BUILD'), '--prefix', "{$this->scratch}/prefix");
        $library = dirname(trim($this->execute($this->scratch, 'find', 'prefix', '-name', 'libshoal.so')));
        $this->environment = ['PKG_CONFIG_PATH' => "{$this->scratch}/$library/pkgconfig", 'NO_INTERACTION' => '1',
            'LD_LIBRARY_PATH' => "{$this->scratch}/$library"] + $this->environment;
        $this->execute($folder, 'phpize');
        $this->execute($folder, './configure');
        $this->execute($folder, 'make', '-j2');
        $tested = $this->execute($folder, 'make', 'test', 'TESTS=-q');
        self::assertMatchesRegularExpression('/Tests passed +: +[1-9]/', $tested);
        self::assertMatchesRegularExpression('/Tests failed +: +0 /', $tested);
        $use = 'require $argv[1]; echo (new Shoal\Client("static://127.0.0.1:1"))->route("k"), phpversion("shoal");';
        $said = $this->execute($folder, PHP_BINARY, '-n', '-d', "extension=$folder/modules/shoal.so", '-r', $use, '--',
            getenv('SHOAL_AUTOLOAD'));
        self::assertSame('127.0.0.1:1' . phpversion('shoal'), $said);
        $symbols = $this->execute($folder, 'nm', '-D', '--defined-only', 'modules/shoal.so');
        self::assertMatchesRegularExpression('/^\w+ T get_module\n$/', $symbols);
    }

    public function testTheTarballNeedsNoSwig(): void
    {
        $tarballs = glob(self::folder('SHOAL_BUILD') . '/bindings/php/shoal-*.tgz');
        self::assertNotEmpty($tarballs);
        $this->execute($this->scratch, 'tar', 'xzf', end($tarballs));
        [$folder] = glob("{$this->scratch}/shoal-*");
        foreach (['LICENSE', 'generated/shoal_wrap.c', 'composer.json', 'tests/handles.phpt'] as $file) {
            self::assertFileExists("$folder/$file");
        }
        mkdir("{$this->scratch}/tools");
        file_put_contents("{$this->scratch}/tools/swig", "#!/bin/sh\nexit 1\n");
        chmod("{$this->scratch}/tools/swig", 0755);
        $this->environment['PATH'] = "{$this->scratch}/tools:" . getenv('PATH');
        $this->build($folder);
    }

    public function testTheTreeBuildsToo(): void
    {
        $source = self::folder('SHOAL_SOURCE');
        mkdir("{$this->scratch}/tree/bindings/php", 0700, true);
        foreach (['swig', 'bindings/php/ext', 'core/include'] as $part) {
            @mkdir(dirname("{$this->scratch}/tree/$part"), 0700, true);
            $this->execute('/', 'cp', '-R', "$source/$part", dirname("{$this->scratch}/tree/$part"));
        }
        $this->build("{$this->scratch}/tree/bindings/php/ext");
    }

    public function testComposersFiles(): void
    {
        $source = self::folder('SHOAL_SOURCE') . '/bindings/php';
        $library = json_decode(file_get_contents("$source/composer.json"), true, 512, JSON_THROW_ON_ERROR);
        self::assertSame(['shoal/shoal', 'library', ['Shoal\\' => 'src/']],
            [$library['name'], $library['type'], $library['autoload']['psr-4']]);
        $extension = json_decode(file_get_contents("$source/ext/composer.json"), true, 512, JSON_THROW_ON_ERROR);
        self::assertSame(['php-ext', 'shoal'], [$extension['type'], $extension['php-ext']['extension-name']]);
        self::assertSame($library['require']['php'], $extension['require']['php']);
        if (!is_executable('/usr/bin/composer')) {
            return;
        }
        // What PIE reads of ext/composer.json is unknown to releases of composer before 2.8.
        $this->environment['COMPOSER_ALLOW_SUPERUSER'] = '1';
        $this->execute($this->scratch, 'composer', 'validate', '--strict', '--no-plugins', "$source/composer.json");
    }

    private static function width(string $line): int
    {
        return strlen(rtrim($line, "\n"));
    }

    public function testAllPhpIsWellFormed(): void
    {
        $source = self::folder('SHOAL_SOURCE');
        $found = $this->execute($source, 'find', 'bindings/php', 'tests/conformance', 'tests/adapters', '-name', '*.php');
        $files = explode("\n", trim($found));
        self::assertGreaterThan(30, count($files));
        foreach ($files as $file) {
            $this->execute($source, PHP_BINARY, '-n', '-d', 'error_reporting=-1', '-d', 'display_errors=1', '-l', $file);
            self::assertStringStartsWith("<?php\n\n", file_get_contents("$source/$file"), $file);
            $widest = max(array_map(self::width(...), file("$source/$file")));
            self::assertLessThanOrEqual(str_contains($file, 'tests/') ? 130 : 120, $widest, "$file has a longer line");
            if (basename($file) !== 'shoal.stub.php') {
                self::assertStringContainsString('declare(strict_types=1);', file_get_contents("$source/$file"), $file);
            }
        }
    }
}
