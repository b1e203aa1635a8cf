<?php

declare(strict_types=1);

namespace Shoal\Symfony;

use Shoal\Client;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\DependencyInjection\ContainerInterface;
use Symfony\Component\DependencyInjection\Definition;
use Symfony\Component\DependencyInjection\Exception\InvalidArgumentException;
use Symfony\Component\DependencyInjection\Extension\Extension;
use Symfony\Component\DependencyInjection\Reference;

/**
 * The services of the bundle: `cache.adapter.shoal`, and a client for pools that name none.
 *
 * @internal
 */
final class ShoalExtension extends Extension
{
    private const DEFAULT_PROVIDER = 'shoal://127.0.0.1:11211';

    public function getAlias(): string
    {
        return 'shoal';
    }

    /** @param array<int, ?array<string, mixed>> $configs */
    public function load(array $configs, ContainerBuilder $container): void
    {
        $config = array_merge(['default_provider' => self::DEFAULT_PROVIDER], ...array_filter($configs));
        $unknown = array_diff(array_keys($config), ['default_provider']);
        if ($unknown !== []) {
            throw new InvalidArgumentException('shoal knows default_provider, and not ' . implode(', ', $unknown)
                . ': options stand in the DSN');
        }
        $container->setDefinition('cache.default_shoal_provider', self::client($config['default_provider']));
        $ifThere = ContainerInterface::IGNORE_ON_INVALID_REFERENCE;
        $container->setDefinition('cache.adapter.shoal', (new Definition(ShoalAdapter::class))
            ->setAbstract(true)
            ->setArguments([null, '', 0, new Reference('cache.default_marshaller', $ifThere)])
            ->addMethodCall('setLogger', [new Reference('logger', $ifThere)])
            ->addTag('cache.pool', ['clearer' => 'cache.default_clearer', 'reset' => 'reset',
                'provider' => 'cache.default_shoal_provider'])
            ->addTag('monolog.logger', ['channel' => 'cache']));
    }

    /** The service of a client for a DSN. */
    public static function client(#[\SensitiveParameter] string $dsn): Definition
    {
        return (new Definition(Client::class, [$dsn]))->setFactory([ClientFactory::class, 'create']);
    }
}
