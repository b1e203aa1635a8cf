<?php

/** The extension is what its stub says, and the library what is documented. May use: PHPUnit and Shoal. */

declare(strict_types=1);

namespace Shoal\Tests;

require_once __DIR__ . '/Support.php';

use PHPUnit\Framework\TestCase;

final class NativeTest extends TestCase
{
    private const METHODS = <<<'END'
        __construct(endpoint, options = [])
        get(key, default = null)
        gets(key)
        getMany(keys)
        getAndTouch(key, ttl, default = null)
        set(key, value, ttl = 0)
        add(key, value, ttl = 0)
        replace(key, value, ttl = 0)
        append(key, value)
        prepend(key, value)
        cas(key, value, token, ttl = 0)
        setMany(values, ttl = 0)
        fetch(key, compute, ttl = 0, staleTtl = 0)
        touch(key, ttl)
        delete(key)
        deleteMany(keys)
        increment(key, delta = 1, initial = null, ttl = 0)
        decrement(key, delta = 1, initial = null, ttl = 0)
        flushAll()
        stats(group = null)
        nodes()
        topology()
        route(key)
        close()
        forAnyValue()
        claim(key)
        __serialize()
        __unserialize(data)
        END;

    /** What the stub says, as a php without the extension sees it. @return array<string, mixed> */
    private static function stub(): array
    {
        $script = 'require $argv[1]; $functions = []; foreach (get_defined_functions()["user"] as $name) {'
            . ' $functions[$name] = (new ReflectionFunction($name))->getNumberOfParameters(); }'
            . ' echo json_encode([$functions, get_defined_constants(true)["user"],'
            . ' array_values(preg_grep("/^Shoal/", get_declared_classes()))]);';
        $command = [PHP_BINARY, '-n', '-r', $script, dirname(__DIR__) . '/ext/shoal.stub.php'];
        $process = proc_open($command, [1 => ['pipe', 'w']], $pipes);
        $said = json_decode(stream_get_contents($pipes[1]), true, 512, JSON_THROW_ON_ERROR);
        proc_close($process);

        return $said;
    }

    public function testStub(): void
    {
        [$functions, $constants, $classes] = self::stub();
        $made = [];
        foreach ((new \ReflectionExtension('shoal'))->getFunctions() as $function) {
            $made[$function->getName()] = $function->getNumberOfParameters();
        }
        self::assertGreaterThan(50, count($made));
        ksort($made);
        ksort($functions);
        self::assertSame($made, $functions);
        $defined = get_defined_constants(true)['shoal'];
        ksort($defined);
        ksort($constants);
        self::assertSame($defined, $constants);
        $native = preg_grep('/^Shoal\\\\Native\\\\(?!Swig)/', (new \ReflectionExtension('shoal'))->getClassNames());
        self::assertEqualsCanonicalizing(array_values($native), $classes);
    }

    public function testEveryStatusHasItsException(): void
    {
        $errors = array_filter(get_defined_constants(true)['shoal'], fn ($name) => str_starts_with($name, 'SHOAL_E_'),
            ARRAY_FILTER_USE_KEY);
        $table = file_get_contents(dirname(__DIR__) . '/ext/errors.c');
        preg_match_all('/\{(SHOAL_E_\w+), "(\w+)"\}/', $table, $rows);
        self::assertEqualsCanonicalizing(array_keys($errors), $rows[1]);
        foreach ([...$rows[2], 'Failure'] as $title) {
            $class = new \ReflectionClass("Shoal\\Exception\\$title");
            self::assertTrue($class->implementsInterface(\Shoal\Exception\ExceptionInterface::class), $title);
            self::assertTrue($class->hasProperty('outcomeUnknown'), $title);
        }
    }

    public function testTheClientsMethods(): void
    {
        $spelled = [];
        foreach ((new \ReflectionClass(\Shoal\Client::class))->getMethods(\ReflectionMethod::IS_PUBLIC) as $method) {
            $parameters = array_map(fn ($each) => $each->getName() . ($each->isOptional() ? ' = '
                . strtr(var_export($each->getDefaultValue(), true), ["array (\n)" => '[]', 'NULL' => 'null']) : ''),
                $method->getParameters());
            $spelled[] = $method->getName() . '(' . implode(', ', $parameters) . ')';
        }
        self::assertSame(explode("\n", self::METHODS), $spelled);
    }

    /** @return list<string> */
    private static function publicClasses(): array
    {
        $classes = [];
        $files = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(dirname(__DIR__) . '/src',
            \FilesystemIterator::SKIP_DOTS));
        foreach ($files as $file) {
            $classes[] = 'Shoal\\' . strtr(substr($file->getPathname(), strlen(dirname(__DIR__) . '/src/'), -4), '/', '\\');
        }

        return $classes;
    }

    public function testEverythingPublicIsTypedAndTold(): void
    {
        // What the adapters' parents are of; where a framework is not installed, its adapter is left out.
        foreach (['Psr/Log', 'Psr/SimpleCache', 'Symfony/Component/Cache', 'Symfony/Component/DependencyInjection',
            'Symfony/Component/HttpKernel', 'Illuminate/Support', 'Illuminate/Cache'] as $library) {
            @include_once "$library/autoload.php";
        }
        $classes = self::publicClasses();
        self::assertGreaterThan(20, count($classes));
        foreach ($classes as $name) {
            try {
                $class = new \ReflectionClass($name);
            } catch (\Error $missing) {
                self::assertMatchesRegularExpression('/^(Class|Interface) "(Psr|Symfony|Illuminate).* not found$/',
                    $missing->getMessage());
                continue;
            }
            self::assertNotFalse($class->getDocComment(), $name);
            self::assertTrue($class->isInterface() || $class->isTrait() || $class->isFinal()
                || in_array($class->getShortName(), ['Failure', 'InvalidArgument'], true), "$name is final");
            foreach ($class->getMethods(\ReflectionMethod::IS_PUBLIC) as $method) {
                $told = "$name::{$method->getName()}";
                if ($method->getDeclaringClass()->getName() !== $name || $method->isConstructor()) {
                    continue;
                }
                self::assertTrue($method->hasReturnType(), $told);
                $ofParent = $method->hasPrototype() || str_contains($name, 'Exception\\');
                self::assertTrue($ofParent || $method->getDocComment() !== false, $told);
                foreach ($method->getParameters() as $parameter) {
                    // Laravel types none of its parameters, and an heir may not.
                    self::assertTrue($ofParent || $parameter->hasType() || str_contains($name, 'Laravel\\'),
                        "$told \${$parameter->getName()}");
                }
            }
        }
    }
}
