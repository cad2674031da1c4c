! SPDX-License-Identifier: MIT
!> The atoms of a system, structure of arrays.
module fennix_atoms
   use fennix_kinds, only : dp, i4
   implicit none
   private
   public :: atoms_type, name_length

   !> Longest atom name kept
   integer, parameter :: name_length = 8

   type :: atoms_type
      !> Title of the structure file
      character(len=:), allocatable :: title
      !> Number of atoms
      integer :: n = 0
      !> Atom names as in the file, (n)
      character(len=name_length), allocatable :: name(:)
      !> Tinker atom types, zero where the file had none, (n)
      integer, allocatable :: kind(:)
      !> Atomic numbers, (n)
      integer(i4), allocatable :: number(:)
      !> Global ids, zero-based, (n)
      integer(i4), allocatable :: id(:)
      !> Masses after hydrogen mass repartitioning, g/mol, (n)
      real(dp), allocatable :: mass(:)
      !> Unwrapped positions, Å, (3, n): never folded during a run, files fold on output
      real(dp), allocatable :: position(:, :)
      !> Velocities, Å/ps, (3, n)
      real(dp), allocatable :: velocity(:, :)
      !> Bonds as in the file, compressed by atom, one-based: partners of i are bond(bond_first(i):bond_first(i+1)-1)
      integer, allocatable :: bond_first(:)
      integer, allocatable :: bond(:)
   end type atoms_type

end module fennix_atoms
