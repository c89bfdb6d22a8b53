import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

from inventree_magento_sync import VERSION

from . import HERE


class WheelTest(unittest.TestCase):
    def test_contains_the_plugin_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, 'source')
            ignored = shutil.ignore_patterns('build', '*.egg-info', '__pycache__')
            shutil.copytree(HERE.parent, source, ignore=ignored)
            pip = [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--no-index', '--no-build-isolation', '-v']
            built = subprocess.run([*pip, '--wheel-dir', folder, str(source)], capture_output=True, text=True)
            self.assertEqual(built.returncode, 0, built.stderr)
            # Tools that build without byte code say so; that is no warning of ours.
            output = [line for line in (built.stdout + built.stderr).splitlines() if 'byte-compiling' not in line]
            self.assertEqual([line for line in output if 'warn' in line.lower() or 'deprecat' in line.lower()], [])
            [wheel] = Path(folder).glob('*.whl')
            self.assertEqual(wheel.name, f'inventree_magento_sync-{VERSION}-py3-none-any.whl')
            with zipfile.ZipFile(wheel) as content:
                info = f'inventree_magento_sync-{VERSION}.dist-info'
                package = source / 'inventree_magento_sync'
                files = [str(path.relative_to(source)) for path in [*package.glob('*.py'), *package.glob('static/*')]]
                about = ['METADATA', 'RECORD', 'WHEEL', 'entry_points.txt', 'top_level.txt']
                self.assertEqual(sorted(content.namelist()), sorted(files + [f'{info}/{name}' for name in about]))
                entry_points = content.read(f'{info}/entry_points.txt').decode()
                self.assertIn('[inventree_plugins]', entry_points)
                self.assertIn('MagentoSyncPlugin = inventree_magento_sync.plugin:MagentoSyncPlugin', entry_points)
                metadata = content.read(f'{info}/METADATA').decode()
                self.assertNotIn('Requires-Dist', metadata)
                self.assertIn('Requires-Python: >=3.9', metadata)
