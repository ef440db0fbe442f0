"""The same jobs done with gphoto2 and with ptpfast; `__main__` says how it is measured."""
